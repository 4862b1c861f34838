import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { allColumns } from '../lib/lake-columns.ts';
import { exportedResources, namedQueries, resourcesOfPatients } from '../lib/lake-named-queries.ts';
import { declaredColumns, partitionColumns } from '../lib/lake-options.ts';
import { changesView, latestView, tableNames, viewNames } from '../lib/lake-views.ts';
import { loadOptions } from '../lib/options.ts';

/** What the views and the queries answer, in DuckDB. */

type Row = Readonly<Record<string, string>>;

const { lake } = loadOptions({
  options: JSON.stringify({
    lake: { partition: { attributes: ['siteId'], time: { from: 'change', unit: 'year' } }, columns: { gender: 'string' }, itemTypeColumns: false },
  }),
});
const columns = allColumns(declaredColumns(lake));
const partitions = partitionColumns(lake);
const tables: Readonly<Record<string, readonly string[]>> = {
  [tableNames.raw]: [...columns, ...partitions].map(({ name }) => name),
  [tableNames.rawUnpartitioned]: columns.map(({ name }) => name),
  [tableNames.compact]: [...columns, ...partitions].map(({ name }) => name),
  [tableNames.latestCompact]: columns.map(({ name }) => name),
  [exportedResources.table]: [exportedResources.column],
};
const views = { [viewNames.changes]: changesView(lake).sql, [viewNames.latest]: latestView(lake).sql };

const python = fileURLToPath(new URL('../../.tools/python/bin/python', import.meta.url));
const lakeReader = fileURLToPath(new URL('../../tools/lake-reader', import.meta.url));
const program = `
import duckdb, json, sys
from lake_reader import athena_functions
given = json.load(sys.stdin)
connection = duckdb.connect()
athena_functions.define(connection)
for statement, values in given["statements"]:
    connection.execute(statement, values)
answer = connection.execute(given["sql"])
names = [column[0] for column in answer.description]
json.dump([dict(zip(names, row)) for row in answer.fetchall()], sys.stdout, default=str)
`;

/** The answer to a query where the tables hold these rows; a column that is not named is NULL. */
function answer(sql: string, rows: Readonly<Record<string, readonly Row[]>>): Record<string, unknown>[] {
  const statements: [string, unknown[]][] = [];
  for (const [table, names] of Object.entries(tables)) {
    const isTyped = table === tableNames.compact || table === tableNames.latestCompact;
    const declared = names.map((name) => `"${name}" ${isTyped && name === '_changed_at' ? 'timestamp' : 'varchar'}`);
    statements.push([`CREATE TABLE "${table}" (${declared.join(', ')})`, []]);
    for (const row of rows[table] ?? []) {
      const places = names.map(() => '?').join(', ');
      statements.push([`INSERT INTO "${table}" VALUES (${places})`, names.map((name) => row[name] ?? null)]);
    }
  }
  for (const [view, select] of Object.entries(views)) statements.push([`CREATE VIEW "${view}" AS ${select}`, []]);
  const input = JSON.stringify({ statements, sql });
  return JSON.parse(execFileSync(python, ['-c', program], { input, encoding: 'utf8', cwd: lakeReader }));
}

function named(name: string): string {
  const query = [...namedQueries(lake), resourcesOfPatients()].find((it) => it.name === name);
  assert.ok(query, name);
  return query.sql;
}

/** A change of an item that there is one of for each number. */
function change(number: number, row: Row = {}): Row {
  const text = String(number);
  const key = { id: `ITEM#${text}`, sk: `ITEM#${text}`, _sequence: text.padStart(40, '0') };
  return { _op: 'INSERT', _event_id: `event-${text}`, _changed_at: '2026-11-22 07:14:00', ...key, ...row };
}

const members: [json: string, text: string | null][] = [
  ['"north"', 'north'],
  ['""', ''],
  ['"null"', 'null'],
  ['"[north]"', '[north]'],
  ['"{north}"', '{north}'],
  ['17', '17'],
  ['true', 'true'],
  ['null', null],
  ['[]', null],
  ['["north"]', null],
  ['{}', null],
  ['{"a":null}', null],
];

test('latest: an attribute that rows are divided by is NULL where it is no text, number or boolean', () => {
  const rows = members.map(([json], number) => change(number, { _extra: `{"other":[],"siteId":${json}}` }));
  const none = [change(members.length, { _extra: '{"other":{"siteId":"north"}}' }), change(members.length + 1)];
  const answers = answer('SELECT "siteid" FROM "latest" ORDER BY "_sequence"', { raw_unpartitioned: [...rows, ...none] });
  assert.deepEqual(
    answers.map(({ siteid }) => siteid),
    [...members.map(([, text]) => text), null, null],
  );
});

test('misfits: values without their column, nulls not, whatever nested values hold', () => {
  const extras = [
    '{"gender":5}',
    '{"gender":5,"x":{"gender":null}}',
    '{"x":"\\"gender\\":null","gender":[null]}',
    '{"gender":null}',
    '{"gender":null,"x":{"gender":5}}',
    '{"x":{"gender":5}}',
  ];
  const raw = [
    ...extras.map((_extra, number) => change(number, { _extra })),
    change(extras.length),
    change(extras.length + 1, { gender: 'female', _extra: '{"gender":"kept as it was written"}' }),
  ];
  assert.deepEqual(answer(named('misfits'), { raw }), [{ changes: raw.length, gender: 3 }]);
});

test('late-rows: what is not compacted in its own partition, the default one included', () => {
  const north = { siteid: 'north', year: '2026' };
  const raw = [
    change(1, north),
    change(1, north),
    change(2, north),
    change(3, { ...north, _changed_at: '2026-11-22 07:13:00' }),
    change(4, { year: '2025', _changed_at: '2025-01-01 00:00:00' }),
    change(5, { year: '2025' }),
  ];
  const compact = [
    change(2, north),
    change(2, north),
    change(3, { year: '2026' }),
    change(5, { year: '2025' }),
    change(6, north),
  ];
  assert.deepEqual(answer(named('late-rows'), { raw, compact }), [
    { siteid: null, year: '2025', changes: 1, first_changed_at: '2025-01-01 00:00:00' },
    { siteid: 'north', year: '2026', changes: 2, first_changed_at: '2026-11-22 07:13:00' },
  ]);
});

test('resources-of-patients: those of another subject are not counted, nor are absolute references followed', () => {
  const resource = (type: string, id: string, more: object) =>
    ({ resource: JSON.stringify({ resourceType: type, id, meta: { lastUpdated: '2026-11-22T07:14:00Z' }, ...more }) });
  const subject = (reference: string) => ({ subject: { reference } });
  const rows = {
    raw_unpartitioned: ['PATIENT#2', 'PATIENT#23', 'ITEM#2'].map((id, number) => change(number, { id, sk: id })),
    exported_resources: [
      resource('Patient', '23', {}),
      resource('Patient', '23', {}),
      resource('Observation', 'a', subject('Patient/23')),
      resource('AllergyIntolerance', 'b', { patient: { reference: 'Patient/23' } }),
      resource('Observation', 'c', subject('Device/123')),
      resource('Observation', 'd', subject('Group/2')),
      resource('Observation', 'e', subject('https://example.org/Patient/23')),
      resource('Medication', 'f', {}),
    ],
  };
  assert.deepEqual(
    answer(named('resources-of-patients'), rows).map(({ id, resources, types }) => [id, resources, types]),
    [
      ['PATIENT#23', 3, 3],
      ['PATIENT#2', 0, 0],
    ],
  );
});
