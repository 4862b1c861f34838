import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Template } from 'aws-cdk-lib/assertions';
import { readItemTypes } from '../lib/item-types.ts';
import { awsExports } from './exports.ts';
import { aws, resource, resourcesOf, synthesize } from './synthesize.ts';

function alarmsOf(template: Template): Record<string, any>[] {
  return Object.values(resourcesOf(template, 'AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
}

const alarms = alarmsOf(awsExports.template);

function alarmNamed(name: string, all: Record<string, any>[] = alarms): Record<string, any> | undefined {
  return all.find(({ AlarmName }) => AlarmName === `tributary-dev-${name}`);
}

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
      'ExportsCleanUpDeadLetterQueue',
      'ExportsPollsDeadLetterQueue',
      'ExportsResourceEventsDeadLetterQueue',
      'ExportsRunEventsDeadLetterQueue',
      'ExportsScheduleDeadLetterQueue',
      'ExportsStartsDeadLetterQueue',
      'LakeCompactionsDeadLetterQueue',
      'LakeScheduleDeadLetterQueue',
    ].sort(),
  );
});

test('I1: what waits too long raises an alarm before it is forgotten', () => {
  const retention = 14 * 24 * 60 * 60;
  assert.deepEqual(
    watchedQueues('ApproximateAgeOfOldestMessage', (value) => value <= retention / 2),
    [
      ...detailTypes.map((detailType) => `${detailType}Queue`),
      'ChangePipeDeadLetterQueue',
      'ExportsResourceEventsQueue',
    ].sort(),
  );
});

/** What functions count of which somebody has to know at once. */
const counted: [prefix: string, binaryName: string, metrics: string[]][] = [
  ['Rescuer', 'dead-letter-rescuer', ['RangesFailed', 'RecordsRescued']],
  ['ExportsCoordinator', 'export-coordinator', ['FailedRuns', 'IncompleteRuns']],
  ['ExportsPublisher', 'export-publisher', ['RejectedLines']],
  ['LakeWriter', 'lake-writer', ['Rejected']],
];

for (const [prefix, binaryName, metrics] of counted) {
  const counting = resource(awsExports.template, 'AWS::Lambda::Function', prefix);
  const watching = alarms.filter(({ Namespace, Dimensions }) => {
    const { METRICS_NAMESPACE } = counting.Properties.Environment.Variables;
    // What `Ref` gives of a function is its name, which is what the function finds in AWS_LAMBDA_FUNCTION_NAME.
    const ofFunction = JSON.stringify([{ Name: 'Function', Value: { Ref: counting.logicalId } }]);
    return Namespace === METRICS_NAMESPACE && JSON.stringify(Dimensions) === ofFunction;
  });

  test(`I1: ${metrics.join(' and ')} of ${binaryName} raise an alarm at once`, () => {
    assert.deepEqual(watching.map(({ MetricName }) => MetricName).sort(), metrics);
    for (const alarm of watching) {
      assert.deepEqual([alarm.Statistic, alarm.Threshold, alarm.EvaluationPeriods], ['Sum', 1, 1]);
    }
  });

  test(`${binaryName} counts what its alarms watch`, () => {
    const folder = new URL(`../../crates/${binaryName}/src/`, import.meta.url);
    const code = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n');
    for (const { MetricName } of watching) {
      const field = MetricName.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
      assert.match(code, new RegExp(`^ +${field}: (usize|u64),$`, 'm'));
    }
  });
}

test('nobody else is asked for metrics of ours', () => {
  const ours = alarms.filter(({ Namespace }) => Namespace === 'Tributary').map(({ MetricName }) => MetricName);
  assert.deepEqual(ours.sort(), [...counted.flatMap(([, , metrics]) => metrics), 'OldestUncompactedHours'].sort());
});

for (const [name, metric] of [
  ['failed', 'ExecutionsFailed'],
  ['timed-out', 'ExecutionsTimedOut'],
  ['aborted', 'ExecutionsAborted'],
] as const) {
  test(`I4: a run that ${name === 'failed' ? 'failed' : `was ${name}`} raises an alarm at once`, () => {
    for (const datastore of ['clinic', 'care-records']) {
      const alarm = alarmNamed(`export-${datastore}-${name}`);
      assert.deepEqual([alarm?.Namespace, alarm?.MetricName], ['AWS/States', metric]);
      const prefix = `Exports${datastore === 'clinic' ? 'Clinic' : 'CareRecords'}`;
      const { logicalId } = resource(awsExports.template, 'AWS::StepFunctions::StateMachine', prefix);
      assert.deepEqual(alarm?.Dimensions, [{ Name: 'StateMachineArn', Value: { Ref: logicalId } }]);
      assert.deepEqual([alarm?.Statistic, alarm?.Threshold, alarm?.EvaluationPeriods], ['Sum', 1, 1]);
    }
  });
}

test('I4: a schedule of which nothing comes raises an alarm, also where there is no data at all', () => {
  const { MetricName, Period, EvaluationPeriods, Statistic, Threshold, ComparisonOperator, TreatMissingData } =
    alarmNamed('export-clinic-late')!;
  assert.deepEqual([MetricName, Statistic, Period, EvaluationPeriods], ['ExecutionsSucceeded', 'Sum', 900, 3]);
  assert.deepEqual([ComparisonOperator, Threshold, TreatMissingData], ['LessThanThreshold', 1, 'breaching']);
});

test('a schedule is watched where it is switched on, even and short enough for CloudWatch', () => {
  assert.equal(alarmNamed('export-care-records-late'), undefined, 'a cron expression');
  const datastores = {
    off: { scheduleEnabled: false },
    seldom: { schedule: 'rate(9 hours)' },
    often: { schedule: 'rate(8 hours)' },
  };
  const others = alarmsOf(synthesize({ options: { datastores } }).template);
  assert.equal(alarmNamed('export-off-late', others), undefined);
  assert.equal(alarmNamed('export-seldom-late', others), undefined);
  assert.equal(alarmNamed('export-often-late', others)?.Period, 28_800);
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
  assert.equal(functions.length, Object.keys(resourcesOf(awsExports.template, 'AWS::Lambda::Function')).length);
  const periods = functions.map(({ AlarmName, EvaluationPeriods }) => [AlarmName, EvaluationPeriods]);
  assert.deepEqual(Object.fromEntries(periods), {
    'tributary-dev-stream-enricher-errors': 3,
    'tributary-dev-item-router-errors': 3,
    'tributary-dev-dead-letter-rescuer-errors': 1,
    'tributary-dev-dead-letter-replayer-errors': 1,
    'tributary-dev-lake-replayer-errors': 1,
    'tributary-dev-export-coordinator-errors': 3,
    'tributary-dev-export-starter-errors': 3,
    'tributary-dev-export-poller-errors': 3,
    'tributary-dev-export-publisher-errors': 3,
    'tributary-dev-lake-writer-errors': 3,
    'tributary-dev-lake-compactor-errors': 3,
  });
});

test('I1: records that the lake does not get in time, or at all, raise an alarm', () => {
  const writer = resource(awsExports.template, 'AWS::Lambda::Function', 'LakeWriter').logicalId;
  const mapping = resource(awsExports.template, 'AWS::Lambda::EventSourceMapping', 'LakeWriter').logicalId;
  const late = alarmNamed('lake-writer-late');
  assert.deepEqual([late?.MetricName, late?.Statistic, late?.Threshold], ['IteratorAge', 'Maximum', 3_600_000]);
  assert.deepEqual(late?.Dimensions, [{ Name: 'FunctionName', Value: { Ref: writer } }]);
  const discarded = alarmNamed('lake-records-discarded');
  assert.equal(discarded?.MetricName, 'OnFailureDestinationDeliveredEventCount');
  assert.deepEqual(discarded?.Dimensions, [{ Name: 'EventSourceMappingUUID', Value: { Ref: mapping } }]);
  const lost = alarmNamed('lake-records-lost');
  assert.deepEqual([lost?.MetricName, lost?.Dimensions], ['DestinationDeliveryFailures', late?.Dimensions]);
  for (const alarm of [discarded, lost]) {
    assert.deepEqual([alarm?.Statistic, alarm?.Threshold, alarm?.EvaluationPeriods], ['Sum', 1, 1]);
  }
});

test('files that are not compacted when they are due raise an alarm', () => {
  const alarm = alarmNamed('lake-uncompacted');
  const compactor = resource(awsExports.template, 'AWS::Lambda::Function', 'LakeCompactor').logicalId;
  assert.deepEqual(alarm?.Dimensions, [{ Name: 'Function', Value: { Ref: compactor } }]);
  assert.deepEqual(
    [alarm?.MetricName, alarm?.Statistic, alarm?.Threshold, alarm?.Period],
    ['OldestUncompactedHours', 'Maximum', 36, 3_600],
  );
});

test('every alarm goes to the topic, under a name that the policies of topic and key admit', () => {
  const topic = resource(awsExports.template, 'AWS::SNS::Topic');
  for (const alarm of alarms) {
    assert.deepEqual(alarm.AlarmActions, [{ Ref: topic.logicalId }]);
    assert.ok(alarm.AlarmName.startsWith('tributary-dev-'));
  }
  const { Statement } = resource(awsExports.template, 'AWS::SNS::TopicPolicy').Properties.PolicyDocument;
  const [publish] = Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Allow');
  assert.deepEqual(publish.Principal, { Service: 'cloudwatch.amazonaws.com' });
  assert.match(JSON.stringify(publish.Condition.ArnLike), /:alarm:tributary-dev-\*"/);
});

test('the e-mail address is subscribed where there is one', () => {
  aws.template.resourceCountIs('AWS::SNS::Subscription', 0);
  const { template } = synthesize({ options: { alarmEmail: 'oncall@example.org' } });
  template.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'oncall@example.org' });
});
