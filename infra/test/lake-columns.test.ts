import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { columnName, glueType, sqlType } from '../lib/lake-columns.ts';
import { declaredColumns } from '../lib/lake-options.ts';
import { loadOptions } from '../lib/options.ts';

type Vector = { attribute: string; column: string } | { attributes: string[]; refused: string };

const vectors: Vector[] = JSON.parse(
  readFileSync(new URL('../../tests/data/lake/column-names.json', import.meta.url), 'utf8'),
);

function declare(attributes: readonly string[]) {
  const columns = Object.fromEntries(attributes.map((attribute) => [attribute, 'string']));
  return loadOptions({ options: JSON.stringify({ lake: { columns } }) });
}

for (const vector of vectors) {
  if ('column' in vector) {
    test(`the column of ${JSON.stringify(vector.attribute)} is ${vector.column}`, () => {
      assert.equal(columnName(vector.attribute), vector.column);
    });
  } else {
    test(`${JSON.stringify(vector.attributes)} is refused: ${vector.refused}`, () => {
      assert.throws(() => declare(vector.attributes), { name: 'DeployerError', message: /lake\.columns\./ });
      for (const attribute of vector.attributes.slice(0, -1)) assert.doesNotThrow(() => declare([attribute]));
    });
  }
}

const types: [declared: string, glue: string, sql: string][] = [
  ['string', 'string', 'varchar'],
  ['json', 'string', 'varchar'],
  ['boolean', 'boolean', 'boolean'],
  ['bigint', 'bigint', 'bigint'],
  ['decimal(38,9)', 'decimal(38,9)', 'decimal(38,9)'],
  ['timestamp', 'timestamp', 'timestamp'],
  ['timestamp_s', 'timestamp', 'timestamp'],
  ['timestamp_ms', 'timestamp', 'timestamp'],
];

for (const [declared, glue, sql] of types) {
  test(`${declared} is ${glue} in Glue and ${sql} in SQL`, () => {
    assert.deepEqual([glueType(declared), sqlType(declared)], [glue, sql]);
  });
}

test('every attribute of the built-in item types has a column by default', () => {
  const folder = new URL('../../crates/domain/src/items/', import.meta.url);
  const examples = readdirSync(folder).flatMap((file) => {
    const [, example] = /^\/\/! ```json\n([^]*?)\/\/! ```/m.exec(readFileSync(new URL(file, folder), 'utf8')) ?? [];
    return example === undefined ? [] : [JSON.parse(example.replaceAll('//!', '')) as Record<string, unknown>];
  });
  assert.equal(examples.length, 5);
  const declared = declaredColumns(loadOptions({}).lake).map(({ attribute }) => attribute);
  const stored = new Set(examples.flatMap((example) => Object.keys(example)));
  for (const attribute of ['id', 'sk', 'itemType']) stored.delete(attribute);
  assert.deepEqual([...stored].filter((attribute) => !declared.includes(attribute)), []);
});
