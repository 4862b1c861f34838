import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aws, local, resource, synthesize } from './synthesize.ts';

const table = resource(aws.template, 'AWS::DynamoDB::Table');

test('I1: the stream carries the new and the old image', () => {
  assert.deepEqual(table.Properties.StreamSpecification, { StreamViewType: 'NEW_AND_OLD_IMAGES' });
});

test('the keys are id and sk', () => {
  assert.deepEqual(table.Properties.KeySchema, [
    { AttributeName: 'id', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ]);
});

test('point-in-time recovery and expiry are on', () => {
  assert.deepEqual(table.Properties.PointInTimeRecoverySpecification, { PointInTimeRecoveryEnabled: true });
  assert.deepEqual(table.Properties.TimeToLiveSpecification, { AttributeName: 'ttl', Enabled: true });
});

test('the table is protected from deletion unless the deployer says destroy', () => {
  assert.equal(table.Properties.DeletionProtectionEnabled, true);
  assert.equal(table.DeletionPolicy, 'Retain');
  const destroyed = resource(synthesize({ options: { removalPolicy: 'destroy' } }).template, 'AWS::DynamoDB::Table');
  for (const unprotected of [destroyed, resource(local.template, 'AWS::DynamoDB::Table')]) {
    assert.equal(unprotected.Properties.DeletionProtectionEnabled, false);
    assert.equal(unprotected.DeletionPolicy, 'Delete');
  }
});
