import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aws, local, resource, resourcesOf, statementsOf, type Resource, type Statement } from './synthesize.ts';

/** Per resource type, where its key is named. */
const keyOf: Record<string, (properties: Resource['Properties']) => unknown> = {
  'AWS::DynamoDB::Table': ({ SSESpecification }) => SSESpecification.KMSMasterKeyId,
  'AWS::Events::Archive': ({ KmsKeyIdentifier }) => KmsKeyIdentifier,
  'AWS::Events::EventBus': ({ KmsKeyIdentifier }) => KmsKeyIdentifier,
  'AWS::Logs::LogGroup': ({ KmsKeyId }) => KmsKeyId,
  'AWS::S3::Bucket': ({ BucketEncryption }) =>
    BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.KMSMasterKeyID,
  'AWS::SNS::Topic': ({ KmsMasterKeyId }) => KmsMasterKeyId,
  'AWS::SQS::Queue': ({ KmsMasterKeyId }) => KmsMasterKeyId,
};

for (const [name, { template }] of Object.entries({ aws, local })) {
  test(`I6: whatever stores data is under the one key, which rotates (${name})`, () => {
    const key = resource(template, 'AWS::KMS::Key');
    assert.equal(key.Properties.EnableKeyRotation, true);
    for (const [type, keyOfType] of Object.entries(keyOf)) {
      const resources = Object.entries(resourcesOf(template, type));
      assert.ok(resources.length > 0, type);
      for (const [logicalId, { Properties }] of resources) {
        assert.deepEqual(keyOfType(Properties), { 'Fn::GetAtt': [key.logicalId, 'Arn'] }, logicalId);
      }
    }
  });
}

const statements = statementsOf(resource(aws.template, 'AWS::KMS::Key'));

function statementNamed(sid: string): Statement {
  const statement = statements.find(({ Sid }) => Sid === sid);
  assert.ok(statement, sid);
  return statement;
}

test('EventBridge may use the key for this bus, its archive and its rules alone', () => {
  const bus = statementNamed('EventBridgeEncryptsBusAndArchive');
  const context = bus.Condition?.StringEquals?.['kms:EncryptionContext:aws:events:event-bus:arn'];
  assert.match(JSON.stringify(context), /:event-bus\/tributary-dev"/);

  const queues = statementNamed('EventBridgeSendsToQueues');
  assert.deepEqual(queues.Condition?.StringEquals, { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } });
  const sources = JSON.stringify(queues.Condition?.ArnLike?.['aws:SourceArn']);
  assert.match(sources, /:event-bus\/tributary-dev"/);
  assert.match(sources, /:rule\/tributary-dev\/\*"/);
});

test('no service may use the key without a condition, but for reading its metadata', () => {
  const services = statements.filter(({ Principal }) => Principal?.Service !== undefined);
  assert.ok(services.length > 0);
  const unconditional = services.filter(({ Condition }) => Condition === undefined);
  assert.deepEqual(
    unconditional.map(({ Action }) => Action),
    ['kms:DescribeKey'],
  );
});

test('the alarms and the log groups of this deployment may use the key', () => {
  assert.match(JSON.stringify(statementNamed('AlarmsPublishToTopic').Condition), /:alarm:tributary-dev-\*/);
  const logs = JSON.stringify(statementNamed('LogsEncryptLogGroups').Condition);
  for (const { Properties } of Object.values(resourcesOf(aws.template, 'AWS::Logs::LogGroup'))) {
    const prefix = String(Properties.LogGroupName).replace(/(?<=tributary-dev-).*/, '*');
    assert.ok(logs.includes(`:log-group:${prefix}`), prefix);
  }
});

test('every role uses the key only through a service', () => {
  for (const [logicalId, policy] of Object.entries(resourcesOf(aws.template, 'AWS::IAM::Policy'))) {
    const keyed = statementsOf(policy).filter(({ Action }) => JSON.stringify(Action).includes('kms:'));
    for (const { Condition } of keyed) assert.ok(Condition?.StringEquals?.['kms:ViaService'], logicalId);
  }
});
