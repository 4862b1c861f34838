import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports } from './exports.ts';
import { resource, textOf } from './synthesize.ts';

const coordinator = resource(awsExports.template, 'AWS::Lambda::Function', 'ExportsCoordinator');
const deadLetterQueue = resource(awsExports.template, 'AWS::SQS::Queue', 'ExportsCleanUpDeadLetterQueue');
const deadLetterQueueArn = { 'Fn::GetAtt': [deadLetterQueue.logicalId, 'Arn'] };

const datastoreIds: Record<string, string> = {
  Clinic: `<${resource(awsExports.template, 'AWS::HealthLake::FHIRDatastore').logicalId}.DatastoreId>`,
  CareRecords: '0123456789abcdef0123456789abcdef',
};

for (const [datastore, datastoreId] of Object.entries(datastoreIds)) {
  const rule = resource(awsExports.template, 'AWS::Events::Rule', `Exports${datastore}`);

  test(`I4: a run of ${datastore} that was stopped, timed out or failed is cleaned up`, () => {
    const machine = resource(awsExports.template, 'AWS::StepFunctions::StateMachine', `Exports${datastore}`);
    assert.deepEqual(rule.Properties.EventPattern, {
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: {
        stateMachineArn: [{ Ref: machine.logicalId }],
        status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
      },
    });
    // On the default bus, on which AWS services send.
    assert.equal(rule.Properties.EventBusName, undefined);
    const [{ Arn, InputTransformer, DeadLetterConfig, RetryPolicy }] = rule.Properties.Targets;
    assert.deepEqual(Arn, { 'Fn::GetAtt': [coordinator.logicalId, 'Arn'] });
    assert.deepEqual(DeadLetterConfig, { Arn: deadLetterQueueArn });
    assert.deepEqual(RetryPolicy, { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86_400 });

    const event: Record<string, unknown> = { name: 'run-1', startDate: 1_795_000_000_123, status: 'ABORTED' };
    const paths: Record<string, string> = InputTransformer.InputPathsMap;
    const input = textOf(InputTransformer.InputTemplate).replace(/<(detail-\w+)>/g, (_, variable: string) =>
      JSON.stringify(event[String(paths[variable]).replace('$.detail.', '')]),
    );
    assert.deepEqual(JSON.parse(input), {
      step: 'clean-up',
      datastoreId,
      run: { id: 'run-1', startedAt: 1_795_000_000_123 },
      status: 'ABORTED',
    });
  });

  test(`the rule of ${datastore} may invoke the coordinator, and no other source may in its name`, () => {
    const permission = resource(awsExports.template, 'AWS::Lambda::Permission', `Exports${datastore}`).Properties;
    assert.deepEqual(permission, {
      Action: 'lambda:InvokeFunction',
      FunctionName: { 'Fn::GetAtt': [coordinator.logicalId, 'Arn'] },
      Principal: 'events.amazonaws.com',
      SourceArn: { 'Fn::GetAtt': [rule.logicalId, 'Arn'] },
    });
  });
}

test('I4: a clean-up that keeps failing is kept', () => {
  const { FunctionName, DestinationConfig, MaximumRetryAttempts, MaximumEventAgeInSeconds } = resource(
    awsExports.template,
    'AWS::Lambda::EventInvokeConfig',
  ).Properties;
  assert.deepEqual(FunctionName, { Ref: coordinator.logicalId });
  assert.deepEqual(DestinationConfig, { OnFailure: { Destination: deadLetterQueueArn } });
  assert.deepEqual([MaximumRetryAttempts, MaximumEventAgeInSeconds], [2, 21_600]);
});
