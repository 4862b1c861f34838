import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readItemTypes } from '../lib/item-types.ts';
import { aws, resource, resourcesOf, synthesize } from './synthesize.ts';

const alarms = Object.values(resourcesOf(aws.template, 'AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);

/** The logical ids of the queues that an alarm watches by a metric, from a threshold on. */
function watchedQueues(metric: string, threshold: (value: number) => boolean): string[] {
  return alarms
    .filter(({ MetricName, Threshold }) => MetricName === metric && threshold(Threshold))
    .map(({ Dimensions }) => Dimensions[0].Value['Fn::GetAtt'][0].replace(/[0-9A-F]{8}$/, ''))
    .sort();
}

const detailTypes = readItemTypes().map(({ detailType }) => detailType);

test('I1: every queue that ought to be empty raises an alarm with its first message', () => {
  assert.deepEqual(
    watchedQueues('ApproximateNumberOfMessagesVisible', (value) => value === 1),
    [
      ...detailTypes.map((detailType) => `${detailType}DeadLetterQueue`),
      'ChangeBusDeadLetterQueue',
      'ChangePipeUnrescuedQueue',
      'DeadLettersRejectsQueue',
    ].sort(),
  );
});

test('I1: what waits too long raises an alarm before it is forgotten', () => {
  const retention = 14 * 24 * 60 * 60;
  assert.deepEqual(
    watchedQueues('ApproximateAgeOfOldestMessage', (value) => value <= retention / 2),
    [...detailTypes.map((detailType) => `${detailType}Queue`), 'ChangePipeDeadLetterQueue'].sort(),
  );
});

test('I1: a rescued record and a range that was not rescued raise an alarm at once', () => {
  const rescuer = resource(aws.template, 'AWS::Lambda::Function', 'Rescuer');
  const namespace = rescuer.Properties.Environment.Variables.METRICS_NAMESPACE;
  const ofRescuer = alarms.filter(({ Namespace }) => Namespace === namespace);
  assert.deepEqual(ofRescuer.map(({ MetricName }) => MetricName).sort(), ['RangesFailed', 'RecordsRescued']);
  for (const alarm of ofRescuer) {
    // What `Ref` gives of a function is its name, which is what the function finds in AWS_LAMBDA_FUNCTION_NAME.
    assert.deepEqual(alarm.Dimensions, [{ Name: 'Function', Value: { Ref: rescuer.logicalId } }]);
    assert.deepEqual([alarm.Statistic, alarm.Threshold, alarm.EvaluationPeriods], ['Sum', 1, 1]);
  }
});

test('the rescuer counts what its alarms watch', () => {
  const code = readFileSync(new URL('../../crates/dead-letter-rescuer/src/lib.rs', import.meta.url), 'utf8');
  for (const { MetricName } of alarms.filter(({ Namespace }) => Namespace === 'Tributary')) {
    const field = MetricName.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
    assert.match(code, new RegExp(`^ +${field}: usize,$`, 'm'));
  }
});

test('failures of the pipe that last raise an alarm, whole, partial and by the clock', () => {
  const ofPipe = alarms.filter(({ Namespace }) => Namespace === 'AWS/EventBridge/Pipes');
  assert.deepEqual(ofPipe.map(({ MetricName }) => MetricName).sort(), [
    'ExecutionFailed',
    'ExecutionPartiallyFailed',
    'ExecutionTimeout',
  ]);
  for (const alarm of ofPipe) {
    assert.deepEqual(alarm.Dimensions, [{ Name: 'PipeName', Value: 'tributary-dev-changes' }]);
    assert.deepEqual([alarm.Statistic, alarm.Threshold, alarm.Period, alarm.EvaluationPeriods], ['Sum', 1, 300, 3]);
  }
});

test('errors of every function raise an alarm', () => {
  const functions = alarms.filter(({ Namespace, MetricName }) => Namespace === 'AWS/Lambda' && MetricName === 'Errors');
  assert.equal(functions.length, Object.keys(resourcesOf(aws.template, 'AWS::Lambda::Function')).length);
  const periods = functions.map(({ AlarmName, EvaluationPeriods }) => [AlarmName, EvaluationPeriods]);
  assert.deepEqual(Object.fromEntries(periods), {
    'tributary-dev-stream-enricher-errors': 3,
    'tributary-dev-item-router-errors': 3,
    'tributary-dev-dead-letter-rescuer-errors': 1,
    'tributary-dev-dead-letter-replayer-errors': 1,
  });
});

test('every alarm goes to the topic, under a name that the policies of topic and key admit', () => {
  const topic = resource(aws.template, 'AWS::SNS::Topic');
  for (const alarm of alarms) {
    assert.deepEqual(alarm.AlarmActions, [{ Ref: topic.logicalId }]);
    assert.ok(alarm.AlarmName.startsWith('tributary-dev-'));
  }
  const { Statement } = resource(aws.template, 'AWS::SNS::TopicPolicy').Properties.PolicyDocument;
  const [publish] = Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Allow');
  assert.deepEqual(publish.Principal, { Service: 'cloudwatch.amazonaws.com' });
  assert.match(JSON.stringify(publish.Condition.ArnLike), /:alarm:tributary-dev-\*"/);
});

test('the e-mail address is subscribed where there is one', () => {
  aws.template.resourceCountIs('AWS::SNS::Subscription', 0);
  const { template } = synthesize({ options: { alarmEmail: 'oncall@example.org' } });
  template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'oncall@example.org' });
});
