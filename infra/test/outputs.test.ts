import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readItemTypes } from '../lib/item-types.ts';
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
  ...readItemTypes().flatMap(({ detailType }) => [`${detailType}QueueUrl`, `${detailType}DeadLetterQueueUrl`]),
];

for (const [name, { template }] of Object.entries({ aws, local })) {
  test(`programs find what they look up by name (${name})`, () => {
    assert.deepEqual(Object.keys(template.toJSON().Outputs).sort(), [...names].sort());
  });
}
