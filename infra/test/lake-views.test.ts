import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesView, latestView } from '../lib/lake-views.ts';
import { loadOptions } from '../lib/options.ts';

const small = {
  partition: { attributes: ['siteId', 'ward no.'], time: { from: 'change', unit: 'month' } },
  columns: { birthDate: 'string', names: 'json', active: 'boolean', amount: 'decimal(38,9)', at: 'timestamp_ms' },
  itemTypeColumns: false,
};

function lake(options: Record<string, unknown>) {
  return loadOptions({ options: JSON.stringify({ lake: options }) }).lake;
}

test('changes: one row per event id, in a window that has the partition columns', () => {
  const { sql, columns } = changesView(lake(small));
  assert.equal(
    sql,
    `SELECT "_op", "_event_id", "_sequence", "_changed_at", "_removed_by", "id", "sk", "birthdate", "names", "active", "amount", "at", "_extra", "siteid", "ward_no_", "year", "month" FROM (
SELECT u.*, row_number() OVER (PARTITION BY "siteid", "ward_no_", "year", "month", "_event_id" ORDER BY "_sequence") AS "_row" FROM (
SELECT "_op", "_event_id", "_sequence", "_changed_at", "_removed_by", "id", "sk", "birthdate", "names", "active", "amount", "at", "_extra", "siteid", "ward_no_", "year", "month" FROM "compact"
UNION ALL
SELECT "_op", "_event_id", "_sequence", CAST("_changed_at" AS timestamp) AS "_changed_at", "_removed_by", "id", "sk", "birthdate", "names", CAST("active" AS boolean) AS "active", CAST("amount" AS decimal(38,9)) AS "amount", CAST("at" AS timestamp) AS "at", "_extra", "siteid", "ward_no_", "year", "month" FROM "raw"
) u) v WHERE "_row" = 1`,
  );
  assert.deepEqual(
    columns.map(({ name }) => name),
    sql.slice('SELECT '.length, sql.indexOf(' FROM (')).replaceAll('"', '').split(', '),
  );
});

test('latest: the highest sequence per key, removed keys gone, with the attributes that rows are divided by', () => {
  const { sql, columns } = latestView(lake(small));
  assert.equal(
    sql,
    `SELECT "_op", "_event_id", "_sequence", "_changed_at", "_removed_by", "id", "sk", "birthdate", "names", "active", "amount", "at", "_extra", json_extract_scalar("_extra", '$.siteId') AS "siteid" FROM (
SELECT u.*, row_number() OVER (PARTITION BY "id", "sk" ORDER BY "_sequence" DESC, "_event_id" DESC) AS "_row" FROM (
SELECT "_op", "_event_id", "_sequence", "_changed_at", "_removed_by", "id", "sk", "birthdate", "names", "active", "amount", "at", "_extra" FROM "latest_compact"
UNION ALL
SELECT "_op", "_event_id", "_sequence", CAST("_changed_at" AS timestamp) AS "_changed_at", "_removed_by", "id", "sk", "birthdate", "names", CAST("active" AS boolean) AS "active", CAST("amount" AS decimal(38,9)) AS "amount", CAST("at" AS timestamp) AS "at", "_extra" FROM "raw_unpartitioned"
) u) v WHERE "_row" = 1 AND "_op" <> 'REMOVE'`,
  );
  assert.equal(columns.at(-1)?.name, 'siteid');
});

test('without declared columns and without a time the views have what every row has', () => {
  const { columns } = changesView(lake({ partition: { attributes: ['siteId'] }, itemTypeColumns: false }));
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['_op', '_event_id', '_sequence', '_changed_at', '_removed_by', 'id', 'sk', '_extra', 'siteid'],
  );
});
