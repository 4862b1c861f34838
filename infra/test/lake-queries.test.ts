import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedQueries } from '../lib/lake-named-queries.ts';
import { loadOptions } from '../lib/options.ts';
import { awsExports } from './exports.ts';
import { aws, resource, resourcesOf, synthesize, textOf } from './synthesize.ts';

const workgroup = resource(awsExports.template, 'AWS::Athena::WorkGroup');

test('nobody gets around the settings of the workgroup, its limit, and its encrypted results', () => {
  const { Name, WorkGroupConfiguration } = workgroup.Properties;
  const results = resource(awsExports.template, 'AWS::S3::Bucket', 'LakeQueriesResults').logicalId;
  assert.equal(Name, 'tributary-dev-lake');
  assert.equal(WorkGroupConfiguration.EnforceWorkGroupConfiguration, true);
  assert.equal(WorkGroupConfiguration.PublishCloudWatchMetricsEnabled, true);
  assert.equal(WorkGroupConfiguration.BytesScannedCutoffPerQuery, 107_374_182_400);
  const { OutputLocation, EncryptionConfiguration } = WorkGroupConfiguration.ResultConfiguration;
  assert.equal(textOf(OutputLocation), `s3://<${results}>/results/`);
  assert.equal(EncryptionConfiguration.EncryptionOption, 'SSE_KMS');
});

test('the scan limit follows the options', () => {
  const { template } = synthesize({ options: { lake: { scanLimitBytes: 10_000_000 } } });
  const { WorkGroupConfiguration } = resource(template, 'AWS::Athena::WorkGroup').Properties;
  assert.equal(WorkGroupConfiguration.BytesScannedCutoffPerQuery, 10_000_000);
});

test('there are queries to begin with, one of which has the exported resources beside the lake', () => {
  const nameOf = (template: typeof aws.template) =>
    Object.values(resourcesOf(template, 'AWS::Athena::NamedQuery')).map(({ Properties }) => Properties.Name);
  const names = [
    'tributary-dev-changes-of-a-key',
    'tributary-dev-default-partition',
    'tributary-dev-late-rows',
    'tributary-dev-latest-by-type',
    'tributary-dev-misfits',
    'tributary-dev-rows-per-partition',
  ];
  assert.deepEqual(nameOf(aws.template).sort(), names);
  assert.deepEqual(nameOf(awsExports.template).sort(), [...names, 'tributary-dev-resources-of-patients'].sort());
  for (const { Properties } of Object.values(resourcesOf(awsExports.template, 'AWS::Athena::NamedQuery'))) {
    assert.deepEqual(Properties.WorkGroup, { Ref: workgroup.logicalId });
    assert.deepEqual(Properties.Database, { Ref: resource(awsExports.template, 'AWS::Glue::Database').logicalId });
  }
});

test('the queries follow the options', () => {
  const options = {
    lake: {
      partition: { attributes: ['siteId', 'ward no.'] },
      columns: { birthDate: 'string', 'unit-code': 'string' },
      itemTypeColumns: false,
    },
  };
  const queries = namedQueries(loadOptions({ options: JSON.stringify(options) }).lake);
  const sqlOf = (name: string) => queries.find((query) => query.name === name)?.sql;
  assert.equal(
    sqlOf('latest-by-type'),
    'SELECT "siteid", count(*) AS "items", max("_changed_at") AS "last_changed_at" FROM "latest"\n' +
      'GROUP BY "siteid"\nORDER BY "items" DESC',
  );
  assert.equal(
    sqlOf('rows-per-partition'),
    'SELECT "siteid", "ward_no_", count(*) AS "changes" FROM "changes"\nGROUP BY "siteid", "ward_no_"\n' +
      'ORDER BY "siteid", "ward_no_"',
  );
  assert.match(sqlOf('default-partition') ?? '', /"ward_no_" IS NULL OR "ward_no_" = '__HIVE_DEFAULT_PARTITION__'/);
  assert.equal(
    sqlOf('misfits'),
    `SELECT count(*) AS "changes",\n  count(CASE WHEN "birthdate" IS NULL AND json_extract("_extra", '$.birthDate') ` +
      `<> JSON 'null' THEN 1 END) AS "birthdate"\nFROM "changes"`,
  );
});

test('where rows are divided by time alone, the items are counted all together', () => {
  const options = { lake: { partition: { time: { unit: 'day' } } } };
  const queries = namedQueries(loadOptions({ options: JSON.stringify(options) }).lake);
  const { sql } = queries.find(({ name }) => name === 'latest-by-type') ?? {};
  assert.doesNotMatch(sql ?? '', /GROUP BY/);
});
