import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports } from './exports.ts';
import { resource, resourcesOf, synthesize } from './synthesize.ts';

function scheduleOf(datastore: string): Record<string, any> {
  return resource(awsExports.template, 'AWS::Scheduler::Schedule', `Exports${datastore}`).Properties;
}

test('each datastore has its schedule, by default every 15 minutes', () => {
  const { Name, ScheduleExpression, ScheduleExpressionTimezone, State, FlexibleTimeWindow } = scheduleOf('Clinic');
  assert.equal(Name, 'tributary-dev-export-clinic');
  assert.deepEqual([ScheduleExpression, ScheduleExpressionTimezone, State], ['rate(15 minutes)', 'Etc/UTC', 'ENABLED']);
  assert.deepEqual(FlexibleTimeWindow, { Mode: 'OFF' });
  assert.equal(scheduleOf('CareRecords').ScheduleExpression, 'cron(0 3 * * ? *)');
});

test('a schedule starts its own state machine, without input, and what it cannot start is kept', () => {
  for (const datastore of ['Clinic', 'CareRecords']) {
    const { Target } = scheduleOf(datastore);
    const machine = resource(awsExports.template, 'AWS::StepFunctions::StateMachine', `Exports${datastore}`);
    const queue = resource(awsExports.template, 'AWS::SQS::Queue', 'ExportsScheduleDeadLetterQueue');
    assert.deepEqual(Target.Arn, { Ref: machine.logicalId });
    assert.equal(Target.Input, '{}');
    assert.deepEqual(Target.DeadLetterConfig, { Arn: { 'Fn::GetAtt': [queue.logicalId, 'Arn'] } });
    assert.deepEqual(Target.RetryPolicy, { MaximumEventAgeInSeconds: 3_600, MaximumRetryAttempts: 185 });
  }
});

test('a schedule can be switched off', () => {
  const { template } = synthesize({ options: { datastores: { clinic: { scheduleEnabled: false } } } });
  assert.equal(resource(template, 'AWS::Scheduler::Schedule', 'Exports').Properties.State, 'DISABLED');
});

test("the roles trust the scheduler for schedules of this account's default group alone", () => {
  const roles = Object.entries(resourcesOf(awsExports.template, 'AWS::IAM::Role')).filter(([logicalId]) =>
    logicalId.includes('ScheduleRole'),
  );
  // One per datastore, and the lake's.
  assert.equal(roles.length, 3);
  for (const [, { Properties }] of roles) {
    const [statement] = Properties.AssumeRolePolicyDocument.Statement;
    assert.deepEqual(statement.Principal, { Service: 'scheduler.amazonaws.com' });
    const { 'aws:SourceAccount': account, 'aws:SourceArn': source } = statement.Condition.StringEquals;
    assert.deepEqual(account, { Ref: 'AWS::AccountId' });
    assert.match(JSON.stringify(source), /:schedule-group\/default"/);
  }
});
