import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lakeConfiguration, partitionColumns } from '../lib/lake-options.ts';
import { loadOptions } from '../lib/options.ts';

function load(lake: Record<string, unknown>) {
  return loadOptions({ options: JSON.stringify({ lake }) }).lake;
}

test('without any option every change is kept, by item type and the day of the change', () => {
  assert.deepEqual(load({}), {
    partition: { attributes: ['itemType'], time: { from: 'change', unit: 'day' } },
    columns: {},
    itemTypeColumns: true,
    compression: 'zstd',
    batchingWindowSeconds: 120,
    batchSize: 10_000,
    maximumRetryAttempts: 50,
    maximumRecordAgeSeconds: 43_200,
    compactionSchedule: 'rate(1 hour)',
    settleSeconds: 900,
    keepReplacedSeconds: 21_600,
    latestBuckets: 8,
    mergeFiles: 8,
    fileBytes: 134_217_728,
    compactorMemory: 1_769,
    compactorStorage: 10_240,
    scanLimitBytes: 107_374_182_400,
    queryResultRetentionDays: 7,
  });
});

test('the functions are told the table, the partition and the columns, and no more', () => {
  const partition = { attributes: ['siteId'], time: { from: { attribute: 'createdAt', format: 'seconds' }, unit: 'hour' } };
  const lake = load({ partition, columns: { amount: 'decimal(38,9)' }, itemTypeColumns: false, settleSeconds: 1 });
  assert.deepEqual(JSON.parse(lakeConfiguration(lake)), {
    table: 'items',
    partition,
    columns: { amount: 'decimal(38,9)' },
  });
});

test('the item types have columns beside the declared ones, which win, unless they are not wanted', () => {
  const columns = (lake: Record<string, unknown>) => JSON.parse(lakeConfiguration(load(lake))).columns;
  const all = columns({});
  assert.deepEqual(columns({ columns: { ward: 'string' } }), { ...all, ward: 'string' });
  assert.deepEqual(columns({ columns: { birthDate: 'json' } }), { ...all, birthDate: 'json' });
  const { birthDate, gender, ...others } = all;
  assert.deepEqual([birthDate, gender], ['string', 'string']);
  assert.deepEqual(columns({ partition: { attributes: ['gender'] }, columns: { birthdate: 'string' } }), {
    ...others,
    birthdate: 'string',
  });
  assert.deepEqual(columns({ itemTypeColumns: false, columns: { ward: 'string' } }), { ward: 'string' });
});

test('a partition has the attributes, then the parts of the time down to its unit', () => {
  const names = (partition: unknown) => partitionColumns(load({ partition })).map(({ name }) => name);
  assert.deepEqual(names({ attributes: ['siteId', 'ward no.'] }), ['siteid', 'ward_no_']);
  assert.deepEqual(names({ attributes: ['siteId'], time: null }), ['siteid']);
  assert.deepEqual(names({ time: { unit: 'minute' } }), ['year', 'month', 'day', 'hour', 'minute']);
  assert.deepEqual(names({ time: { from: 'change', unit: 'year' } }), ['year']);
});

const day = { from: 'change', unit: 'day' };

const wrong: [lake: Record<string, unknown>, message: RegExp][] = [
  [{ columns: { a: 'string', A: 'string' } }, /lake\.columns\.A: expected one of the two: a has the column a already/],
  [{ columns: { 'unit-code': 'string', unit_code: 'string' } }, /columns\.unit_code: .* unit-code has the column unit_code/],
  [{ columns: { _op: 'string' } }, /columns\._op: expected an attribute whose column does not begin with _/],
  [{ columns: { Änderung: 'string' } }, /columns\.Änderung: .* does not begin with _: _nderung/],
  [{ columns: { id: 'string' } }, /columns\.id: expected no declaration: every row has the column id/],
  [{ columns: { SK: 'string' } }, /columns\.SK: expected no declaration: every row has the column sk/],
  [{ columns: { itemType: 'string' } }, /columns\.itemType: .* the rows are divided by the column itemtype/],
  [{ columns: { Year: 'bigint' } }, /columns\.Year: .* the rows are divided by the column year/],
  [{ columns: { ['a'.repeat(256)]: 'string' } }, /expected at most 255 characters, which is what Glue takes/],
  [{ columns: { a: 'text' } }, /columns\.a: expected string, boolean, .* or decimal\(38,9\)/],
  [{ columns: { a: 'decimal' } }, /columns\.a: expected string, /],
  [{ columns: { a: 'decimal(38, 9)' } }, /columns\.a: expected string, /],
  [{ columns: { a: 'decimal(39,0)' } }, /columns\.a: expected from 1 to 38 digits/],
  [{ columns: { a: 'decimal(0,0)' } }, /columns\.a: expected from 1 to 38 digits/],
  [{ columns: { a: 'decimal(5,6)' } }, /columns\.a: expected at most as many digits after the point/],
  [{ columns: { a: 1 } }, /columns\.a: .*expected string/],
  [
    { columns: Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`attribute${index}`, 'string'])) },
    /lake\.columns: expected at most 3072 bytes of JSON/,
  ],
  [{ partition: {} }, /lake\.partition: expected attributes or a time/],
  [{ partition: { attributes: ['a', 'b', 'c', 'd', 'e'] } }, /partition\.attributes: expected at most 4/],
  [{ partition: { attributes: ['a', 'A'] } }, /partition\.attributes\.0: expected another attribute: A has/],
  [{ partition: { attributes: ['Month'], time: day } }, /partition\.attributes\.0: .* month has the partition column month/],
  [{ partition: { attributes: [''] } }, /partition\.attributes\.0: expected a name/],
  [{ partition: { attributes: ['id'] } }, /partition\.attributes\.0: .* every row has the column id/],
  [{ partition: { attributes: ['a='.repeat(20)] } }, /partition\.attributes\.0: expected at most 48 bytes in a path/],
  [{ partition: { time: { unit: 'week' } } }, /partition\.time\.unit: expected one of year, month, day, hour, minute/],
  [{ partition: { time: { from: 'insert', unit: 'day' } } }, /partition\.time\.from: expected "change" or /],
  [{ partition: { time: { from: { attribute: 'a', format: 'days' }, unit: 'day' } } }, /partition\.time\.from: expected/],
  [{ partition: { time: { unit: 'day', zone: 'UTC' } } }, /partition\.time\.zone: unknown; allowed are from, unit/],
  [{ partition: { attribute: 'a' } }, /partition\.attribute: unknown; allowed are attributes, time/],
  [{ compression: 'snappy' }, /lake\.compression: .*"zstd"\|"gzip"/],
  [{ batchingWindowSeconds: 301 }, /batchingWindowSeconds: .*<=300/],
  [{ batchSize: 10_001 }, /batchSize: .*<=10000/],
  [{ maximumRecordAgeSeconds: 59 }, /maximumRecordAgeSeconds: .*>=60/],
  [{ compactionSchedule: 'hourly' }, /compactionSchedule: expected rate\(15 minutes\)/],
  [{ keepReplacedSeconds: 59 }, /keepReplacedSeconds: .*>=60/],
  [{ latestBuckets: 0 }, /latestBuckets: .*>=1/],
  [{ latestBuckets: 101 }, /latestBuckets: .*<=100/],
  [{ mergeFiles: 1 }, /mergeFiles: .*>=2/],
  [{ fileBytes: 1_023 }, /fileBytes: .*>=1024/],
  [{ compactorMemory: 511 }, /compactorMemory: .*>=512/],
  [{ compactorStorage: 10_241 }, /compactorStorage: .*<=10240/],
  [{ retentionDays: 0 }, /retentionDays: .*>=1/],
  [{ infrequentAccessAfterDays: 29 }, /infrequentAccessAfterDays: .*>=30/],
  [{ retentionDays: 30, infrequentAccessAfterDays: 30 }, /retentionDays: expected more than infrequentAccessAfterDays/],
  [{ scanLimitBytes: 9_999_999 }, /scanLimitBytes: .*>=10000000/],
  [{ queryResultRetentionDays: 0 }, /queryResultRetentionDays: .*>=1/],
  [{ bucket: 'mine' }, /lake\.bucket: unknown; allowed are partition, columns, itemTypeColumns, compression, /],
];

for (const [lake, message] of wrong) {
  test(`is refused: ${JSON.stringify(lake).slice(0, 100)}`, () => {
    assert.throws(() => load(lake), { name: 'DeployerError', message });
  });
}
