import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports, localExports } from './exports.ts';
import { aws, list, resource, resourcesOf, statementsOf, textOf, type Resource, type Statement } from './synthesize.ts';

/** Per resource type, where its key is named. */
const keyOf: Record<string, (properties: Resource['Properties']) => unknown> = {
  'AWS::Athena::WorkGroup': ({ WorkGroupConfiguration }) =>
    WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration.KmsKey,
  'AWS::DynamoDB::Table': ({ SSESpecification }) => SSESpecification.KMSMasterKeyId,
  'AWS::Events::Archive': ({ KmsKeyIdentifier }) => KmsKeyIdentifier,
  'AWS::Events::EventBus': ({ KmsKeyIdentifier }) => KmsKeyIdentifier,
  'AWS::HealthLake::FHIRDatastore': ({ SseConfiguration }) => SseConfiguration.KmsEncryptionConfig.KmsKeyId,
  'AWS::Logs::LogGroup': ({ KmsKeyId }) => KmsKeyId,
  'AWS::S3::Bucket': ({ BucketEncryption }) =>
    BucketEncryption.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.KMSMasterKeyID,
  'AWS::Scheduler::Schedule': ({ KmsKeyArn }) => KmsKeyArn,
  'AWS::SNS::Topic': ({ KmsMasterKeyId }) => KmsMasterKeyId,
  'AWS::SQS::Queue': ({ KmsMasterKeyId }) => KmsMasterKeyId,
  'AWS::StepFunctions::StateMachine': ({ EncryptionConfiguration }) => EncryptionConfiguration.KmsKeyId,
};

for (const [name, { template }] of Object.entries({ aws: awsExports, local: localExports })) {
  test(`I6: whatever stores data is under the one key, which rotates (${name})`, () => {
    const key = resource(template, 'AWS::KMS::Key');
    assert.equal(key.Properties.EnableKeyRotation, true);
    for (const [type, keyOfType] of Object.entries(keyOf)) {
      const resources = Object.entries(resourcesOf(template, type));
      const isOnAwsAlone = type === 'AWS::HealthLake::FHIRDatastore' && name === 'local';
      assert.equal(resources.length > 0, !isOnAwsAlone, type);
      for (const [logicalId, { Properties }] of resources) {
        assert.deepEqual(keyOfType(Properties), { 'Fn::GetAtt': [key.logicalId, 'Arn'] }, logicalId);
      }
    }
  });
}

const statements = statementsOf(resource(awsExports.template, 'AWS::KMS::Key'));

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

test('EventBridge may use the key for every rule that sends to a queue, on whichever bus it is', () => {
  const sources = JSON.stringify(statementNamed('EventBridgeSendsToQueues').Condition?.ArnLike?.['aws:SourceArn']);
  for (const { Properties } of Object.values(resourcesOf(awsExports.template, 'AWS::Events::Rule'))) {
    // The ARN of a rule has the name of its bus in it, unless that is the account's default one.
    const prefix = Properties.EventBusName === undefined ? 'tributary-dev-' : 'tributary-dev/';
    assert.ok(sources.includes(`:rule/${prefix}*"`), Properties.Name);
    assert.ok(Properties.Name.startsWith('tributary-dev-'));
  }
});

test('log delivery may decrypt what the state machines log, where there are any', () => {
  const { Action, Principal, Condition } = statementNamed('LogDeliveryDecryptsLogs');
  assert.equal(Action, 'kms:Decrypt');
  assert.deepEqual(Principal, { Service: 'delivery.logs.amazonaws.com' });
  const context = Condition?.StringEquals?.['kms:EncryptionContext:SourceArn'];
  assert.match(JSON.stringify(context), /:logs:.*:\*"/);
  const withoutExports = statementsOf(resource(aws.template, 'AWS::KMS::Key'));
  assert.ok(!withoutExports.some(({ Sid }) => Sid === 'LogDeliveryDecryptsLogs'));
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
  for (const { Properties } of Object.values(resourcesOf(awsExports.template, 'AWS::Logs::LogGroup'))) {
    const prefix = String(Properties.LogGroupName).replace(/(?<=tributary-dev-).*/, '*');
    assert.ok(logs.includes(`:log-group:${prefix}`), prefix);
  }
});

/** Roles as which a service calls KMS itself, so that no condition on a service holds, and the contexts in which. */
const contexts: Record<string, string[]> = {
  StateMachineRole: ['kms:EncryptionContext:SourceArn', 'kms:EncryptionContext:aws:states:stateMachineArn'],
  ScheduleRole: ['kms:EncryptionContext:aws:scheduler:schedule:arn'],
  // HealthLake: it names neither service nor context, and gets no more than new data keys.
  ExportsDataRole: ['none'],
};

test('every role uses the key only through a service, or for one resource of one', () => {
  for (const [logicalId, policy] of Object.entries(resourcesOf(awsExports.template, 'AWS::IAM::Policy'))) {
    const keyed = statementsOf(policy).filter(({ Action }) => JSON.stringify(Action).includes('kms:'));
    const direct = keyed.filter(({ Condition }) => Condition?.StringEquals?.['kms:ViaService'] === undefined);
    const conditions = direct.map(({ Condition }) => Object.keys(Condition?.StringEquals ?? {}).join() || 'none');
    const [, allowed] = Object.entries(contexts).find(([role]) => logicalId.includes(role)) ?? [];
    assert.deepEqual(conditions.sort(), allowed ?? [], logicalId);
  }
});

test('a role uses the key for the resource that it belongs to, and no other', () => {
  for (const name of ['clinic', 'care-records']) {
    const prefix = `Exports${name === 'clinic' ? 'Clinic' : 'CareRecords'}Exports`;
    const machineRole = resource(awsExports.template, 'AWS::IAM::Policy', `${prefix}StateMachineRole`);
    const scheduleRole = resource(awsExports.template, 'AWS::IAM::Policy', `${prefix}ScheduleRole`);
    const valuesOf = (policy: Resource, context: string) =>
      statementsOf(policy)
        .flatMap(({ Condition }) => list(Condition?.StringEquals?.[`kms:EncryptionContext:${context}`] ?? []))
        .map((arn) => textOf(arn).replace(/^.*<AWS::AccountId>:/, ''));
    assert.deepEqual(valuesOf(machineRole, 'aws:states:stateMachineArn'), [
      `stateMachine:tributary-dev-export-${name}`,
      `stateMachine:tributary-dev-export-${name}/PublishRanges`,
    ]);
    assert.deepEqual(valuesOf(scheduleRole, 'aws:scheduler:schedule:arn'), [
      `schedule/default/tributary-dev-export-${name}`,
    ]);
  }
});
