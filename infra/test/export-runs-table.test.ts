import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports, localExports } from './exports.ts';
import { resource } from './synthesize.ts';

const table = resource(awsExports.template, 'AWS::DynamoDB::Table', 'ExportsRuns');

test('the keys are pk and sk', () => {
  assert.equal(table.Properties.TableName, 'tributary-dev-export-runs');
  assert.deepEqual(table.Properties.KeySchema, [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ]);
});

test('I4: cursors can be restored, do not expire, and outlive the stack', () => {
  assert.deepEqual(table.Properties.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: true });
  assert.equal(table.Properties.TimeToLiveSpecification, undefined);
  assert.equal(table.Properties.DeletionProtectionEnabled, true);
  assert.equal(table.DeletionPolicy, 'Retain');
});

test('locally the table goes with the stack', () => {
  const local = resource(localExports.template, 'AWS::DynamoDB::Table', 'ExportsRuns');
  assert.equal(local.Properties.DeletionProtectionEnabled, false);
  assert.equal(local.DeletionPolicy, 'Delete');
});
