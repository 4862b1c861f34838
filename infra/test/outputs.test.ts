import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readItemTypes } from '../lib/item-types.ts';
import { awsExports, localExports } from './exports.ts';
import { aws, local } from './synthesize.ts';

const names = [
  'ItemsTableName',
  'ItemsStreamArn',
  'EventBusName',
  'PipeName',
  'RejectsQueueUrl',
  'DeadLetterBucketName',
  'ClaimCheckBucketName',
  'PipeDeadLetterQueueUrl',
  'UnrescuedQueueUrl',
  'EnricherFunctionName',
  'RouterFunctionName',
  'ReplayerFunctionName',
  'LakeBucketName',
  'LakeDatabaseName',
  'LakeWorkgroupName',
  'QueryResultsBucketName',
  'LakeWriterFunctionName',
  'LakeCompactorFunctionName',
  'LakeConfiguration',
  'LakeCompactionsQueueUrl',
  'LakeCompactionsDeadLetterQueueUrl',
  'LakeCompactionScheduleDeadLetterQueueUrl',
  ...readItemTypes().flatMap(({ detailType }) => [`${detailType}QueueUrl`, `${detailType}DeadLetterQueueUrl`]),
];

const namesOfExports = [
  'ExportRunsTableName',
  'ExportBucketName',
  'CoordinatorFunctionName',
  'StarterFunctionName',
  'PollerFunctionName',
  'PublisherFunctionName',
  'ExportStartsQueueUrl',
  'ExportStartsDeadLetterQueueUrl',
  'ExportPollsQueueUrl',
  'ExportPollsDeadLetterQueueUrl',
  'ExportScheduleDeadLetterQueueUrl',
  'ExportCleanUpDeadLetterQueueUrl',
  'FhirResourceChangesQueueUrl',
  'FhirResourceChangesDeadLetterQueueUrl',
  'ExportRunsQueueUrl',
  'ExportRunsDeadLetterQueueUrl',
  'ClinicExportStateMachineArn',
  'ClinicDatastoreId',
  'CareRecordsExportStateMachineArn',
  'CareRecordsDatastoreId',
];

for (const [name, { template }] of Object.entries({ aws, local })) {
  test(`programs find what they look up by name (${name})`, () => {
    assert.deepEqual(Object.keys(template.toJSON().Outputs).sort(), [...names].sort());
  });
}

for (const [name, { template }] of Object.entries({ awsExports, localExports })) {
  test(`programs find what belongs to the exports where there are datastores (${name})`, () => {
    assert.deepEqual(Object.keys(template.toJSON().Outputs).sort(), [...names, ...namesOfExports].sort());
  });
}
