import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allColumns } from '../lib/lake-columns.ts';
import { declaredColumns } from '../lib/lake-options.ts';
import { changesView, latestView } from '../lib/lake-views.ts';
import { loadOptions } from '../lib/options.ts';
import { awsExports } from './exports.ts';
import { aws, resource, resourcesOf, synthesize, textOf } from './synthesize.ts';

const { lake } = loadOptions({});

function tableNamed(name: string, template = awsExports.template): Record<string, any> {
  const tables = Object.values(resourcesOf(template, 'AWS::Glue::Table')).map(({ Properties }) => Properties);
  const found = tables.filter(({ TableInput }) => TableInput.Name === name);
  assert.equal(found.length, 1, name);
  return found[0]!.TableInput;
}

test('the database is named after the environment, in letters that need no quoting', () => {
  const database = resource(synthesize().template, 'AWS::Glue::Database').Properties;
  assert.equal(database.DatabaseInput.Name, 'tributary_dev');
  assert.deepEqual(database.CatalogId, { Ref: 'AWS::AccountId' });
});

const bucket = resource(awsExports.template, 'AWS::S3::Bucket', 'LakeFiles').logicalId;
const partitions = ['itemtype', 'year', 'month', 'day'].map((Name) => ({ Name, Type: 'string' }));

const files: [table: string, folder: string, serde: RegExp, partitions: object[]][] = [
  ['raw', 'raw/items/', /openx.*JsonSerDe$/, partitions],
  ['raw_unpartitioned', 'raw/items/', /openx.*JsonSerDe$/, []],
  ['compact', 'compact/items/', /ParquetHiveSerDe$/, partitions],
  ['latest_compact', 'latest/items/', /ParquetHiveSerDe$/, []],
];

for (const [table, folder, serde, keys] of files) {
  test(`${table} is over the files of ${folder}`, () => {
    const { TableType, StorageDescriptor, PartitionKeys } = tableNamed(table);
    assert.equal(TableType, 'EXTERNAL_TABLE');
    assert.equal(textOf(StorageDescriptor.Location), `s3://<${bucket}>/${folder}`);
    assert.match(StorageDescriptor.SerdeInfo.SerializationLibrary, serde);
    assert.deepEqual(PartitionKeys, keys);
    assert.deepEqual(
      StorageDescriptor.Columns.map(({ Name }: { Name: string }) => Name),
      allColumns(declaredColumns(lake)).map(({ name }) => name),
    );
  });
}

test('raw rows are text, whatever is declared, and an unreadable one fails the query instead of being left out', () => {
  for (const table of ['raw', 'raw_unpartitioned']) {
    const { Columns, SerdeInfo } = tableNamed(table).StorageDescriptor;
    assert.deepEqual([...new Set(Columns.map(({ Type }: { Type: string }) => Type))], ['string']);
    assert.equal(SerdeInfo.Parameters['ignore.malformed.json'], 'false');
  }
});

test('compacted rows have the declared types', () => {
  for (const table of ['compact', 'latest_compact']) {
    const { Columns } = tableNamed(table).StorageDescriptor;
    const typeOf = Object.fromEntries(Columns.map(({ Name, Type }: any) => [Name, Type]));
    assert.deepEqual(
      [typeOf._changed_at, typeOf.ttl, typeOf.names, typeOf.active, typeOf.value, typeOf.gender, typeOf._extra],
      ['timestamp', 'timestamp', 'string', 'boolean', 'decimal(38,9)', 'string', 'string'],
    );
  }
});

for (const [name, view] of [
  ['changes', changesView(lake)],
  ['latest', latestView(lake)],
] as const) {
  test(`${name} is a view as Athena writes it`, () => {
    const input = tableNamed(name);
    assert.equal(input.TableType, 'VIRTUAL_VIEW');
    assert.equal(input.Parameters.presto_view, 'true');
    const [, encoded] = /^\/\* Presto View: ([A-Za-z0-9+/=]+) \*\/$/.exec(input.ViewOriginalText) ?? [];
    const definition = JSON.parse(Buffer.from(encoded!, 'base64').toString('utf8'));
    assert.equal(definition.originalSql, view.sql);
    assert.deepEqual([definition.catalog, definition.schema], ['awsdatacatalog', 'tributary_dev']);
    const { Columns } = input.StorageDescriptor;
    assert.deepEqual(
      definition.columns,
      Columns.map(({ Name, Type }: { Name: string; Type: string }) => ({
        name: Name,
        type: Type.replace(/^string$/, 'varchar').replace(/^timestamp$/, 'timestamp(3)'),
      })),
    );
  });
}

test('where there are datastores, the lines that HealthLake exported are a table of one column', () => {
  const { StorageDescriptor } = tableNamed('exported_resources');
  const files = resource(awsExports.template, 'AWS::S3::Bucket', 'ExportsFiles').logicalId;
  assert.equal(textOf(StorageDescriptor.Location), `s3://<${files}>/exports/`);
  assert.deepEqual(StorageDescriptor.Columns, [{ Name: 'resource', Type: 'string' }]);
  assert.match(StorageDescriptor.SerdeInfo.SerializationLibrary, /LazySimpleSerDe$/);
  assert.equal(Object.keys(resourcesOf(aws.template, 'AWS::Glue::Table')).length, 6);
  assert.equal(Object.keys(resourcesOf(awsExports.template, 'AWS::Glue::Table')).length, 7);
});

test('the catalog stays with the data, but for what describes the files of others', () => {
  for (const [logicalId, { DeletionPolicy }] of Object.entries(resourcesOf(awsExports.template, 'AWS::Glue::Table'))) {
    assert.equal(DeletionPolicy, logicalId.includes('ExportedResources') ? 'Delete' : 'Retain', logicalId);
  }
});
