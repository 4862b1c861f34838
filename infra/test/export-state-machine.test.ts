import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports } from './exports.ts';
import { resource, resourcesOf, textOf } from './synthesize.ts';

const machines = Object.values(resourcesOf(awsExports.template, 'AWS::StepFunctions::StateMachine'));

test('every datastore has a state machine of its own', () => {
  assert.deepEqual(machines.map(({ Properties }) => Properties.StateMachineName).sort(), [
    'tributary-dev-export-care-records',
    'tributary-dev-export-clinic',
  ]);
});

test('I6: the log of the state machine has every event and no execution data', () => {
  for (const { Properties } of machines) {
    const { Level, IncludeExecutionData, Destinations } = Properties.LoggingConfiguration;
    assert.deepEqual([Level, IncludeExecutionData], ['ALL', false]);
    const [logGroupId] = Destinations[0].CloudWatchLogsLogGroup.LogGroupArn['Fn::GetAtt'];
    const logGroup = resourcesOf(awsExports.template)[logGroupId];
    assert.equal(logGroup?.Properties.LogGroupName, `/aws/vendedlogs/states/${Properties.StateMachineName}`);
    assert.equal(logGroup?.Properties.RetentionInDays, 365);
  }
});

test('I6: nothing is traced', () => {
  for (const { Properties } of machines) assert.deepEqual(Properties.TracingConfiguration, { Enabled: false });
});

test('I4: no run lasts for ever', () => {
  const limits = machines.map(({ Properties }) => {
    const { TimeoutSeconds, States } = JSON.parse(textOf(Properties.DefinitionString));
    return [Properties.StateMachineName, States.Export.TimeoutSeconds, TimeoutSeconds];
  });
  assert.deepEqual(limits.sort(), [
    ['tributary-dev-export-care-records', 7_200, 93_600],
    ['tributary-dev-export-clinic', 86_400, 172_800],
  ]);
});

test('the role trusts this state machine and its map, of this account, alone', () => {
  const role = resource(awsExports.template, 'AWS::IAM::Role', 'ExportsClinicExportsStateMachineRole');
  const [statement] = role.Properties.AssumeRolePolicyDocument.Statement;
  assert.deepEqual(statement.Principal, { Service: 'states.amazonaws.com' });
  assert.deepEqual(statement.Condition.StringEquals, { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } });
  assert.deepEqual(
    statement.Condition.ArnLike['aws:SourceArn'].map((arn: unknown) => textOf(arn).split(':').at(-1)),
    ['tributary-dev-export-clinic', 'tributary-dev-export-clinic/*'],
  );
});

test('a state machine is created after the policy against which it is checked', () => {
  const { Resources } = awsExports.template.toJSON();
  const { logicalId } = resource(awsExports.template, 'AWS::StepFunctions::StateMachine', 'ExportsClinic');
  const policy = resource(awsExports.template, 'AWS::IAM::Policy', 'ExportsClinicExportsStateMachineRole');
  assert.ok(Resources[logicalId].DependsOn.includes(policy.logicalId));
});
