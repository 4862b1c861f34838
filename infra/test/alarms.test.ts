import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Template } from 'aws-cdk-lib/assertions';
import { readItemTypes } from '../lib/item-types.ts';
import { awsExports, datastores } from './exports.ts';
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

const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
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
    assertCounts(binaryName, watching.map(({ MetricName }) => MetricName));
  });
}

function assertCounts(binaryName: string, metrics: string[]): void {
  const folder = new URL(`../../crates/${binaryName}/src/`, import.meta.url);
  const code = readdirSync(folder).map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n');
  for (const metric of metrics) {
    const field = metric.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toLowerCase();
    assert.match(code, new RegExp(`^ +${field}: (usize|u64),$`, 'm'));
  }
}

/** What a plan of the compactor tells of the lake, of which somebody has to know from a threshold on. */
const planned = ['Directories', 'LargestLatestBytes', 'OldestUncompactedHours'];

test('nobody else is asked for metrics of ours', () => {
  const ours = alarms.filter(({ Namespace }) => Namespace === 'Tributary').map(({ MetricName }) => MetricName);
  assert.deepEqual(ours.sort(), [...counted.flatMap(([, , metrics]) => metrics), ...planned].sort());
});

test('lake-compactor counts what its alarms watch', () => assertCounts('lake-compactor', planned));

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

test('a plan of the lake that fails raises an alarm, and so do plans that do not come', () => {
  const compactor = resource(awsExports.template, 'AWS::Lambda::Function', 'LakeCompactor').logicalId;
  const late = alarmNamed('lake-plan-late');
  assert.deepEqual([late?.MetricName, late?.Statistic, late?.Period], ['Directories', 'SampleCount', 3_600]);
  assert.deepEqual([late?.EvaluationPeriods, late?.Threshold], [3, 1]);
  assert.deepEqual([late?.ComparisonOperator, late?.TreatMissingData], ['LessThanThreshold', 'breaching']);
  assert.deepEqual(late?.Dimensions, [{ Name: 'Function', Value: { Ref: compactor } }]);
  for (const [compactionSchedule, period] of [
    ['rate(8 hours)', 28_800],
    ['rate(9 hours)', undefined],
    ['cron(0 3 * * ? *)', undefined],
  ] as const) {
    const others = alarmsOf(synthesize({ options: { lake: { compactionSchedule } } }).template);
    assert.equal(alarmNamed('lake-plan-late', others)?.Period, period, compactionSchedule);
  }
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
    'tributary-dev-lake-compactor-errors': 1,
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

test('I1: changes of which the lake is given none raise an alarm, in whichever way the writer is cut off', () => {
  const mapping = resource(awsExports.template, 'AWS::Lambda::EventSourceMapping', 'LakeWriter').logicalId;
  const alarm = alarmNamed('lake-writer-idle');
  const [math, ...metrics] = alarm?.Metrics;
  assert.equal(math.Expression, 'IF(FILL(changes, 0) > 0 AND FILL(polled, 0) == 0, 1, 0)');
  const watched = metrics.map(({ Id, MetricStat, ReturnData }: Record<string, any>) => {
    const { Metric, Period, Stat } = MetricStat;
    return [Id, Metric.Namespace, Metric.MetricName, Metric.Dimensions, Period, Stat, ReturnData];
  });
  const ofPipe = [{ Name: 'PipeName', Value: 'tributary-dev-changes' }];
  const ofMapping = [{ Name: 'EventSourceMappingUUID', Value: { Ref: mapping } }];
  assert.deepEqual(watched, [
    ['changes', 'AWS/EventBridge/Pipes', 'EventCount', ofPipe, 900, 'Sum', false],
    ['polled', 'AWS/Lambda', 'PolledEventCount', ofMapping, 900, 'Sum', false],
  ]);
  assert.deepEqual([alarm?.Threshold, alarm?.EvaluationPeriods], [1, 3]);
  const { MetricsConfig } = resource(awsExports.template, 'AWS::Lambda::EventSourceMapping', 'LakeWriter').Properties;
  assert.deepEqual(MetricsConfig, { Metrics: ['EventCount'] });
});

test('a folder of latest/ that is half of what a merge reads raises an alarm', () => {
  const { template } = synthesize({ options: { lake: { compactorStorage: 4_096 } } });
  const compactor = resource(template, 'AWS::Lambda::Function', 'LakeCompactor');
  const alarm = alarmNamed('lake-latest-large', alarmsOf(template));
  assert.deepEqual([alarm?.MetricName, alarm?.Statistic, alarm?.Period], ['LargestLatestBytes', 'Maximum', 3_600]);
  assert.deepEqual(alarm?.Dimensions, [{ Name: 'Function', Value: { Ref: compactor.logicalId } }]);
  assert.equal(2 * alarm?.Threshold, Number(compactor.Properties.Environment.Variables.MERGE_BYTES));
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

/** The alarms that are there once for each item type or datastore, as the runbook writes them. */
const detailType = new RegExp(`^(${detailTypes.join('|')})(?=-)`);
const datastore = new RegExp(`^export-(${Object.keys(datastores).join('|')})(?=-)`);

for (const { AlarmName } of alarms) {
  const ofDeployment = AlarmName.replace('tributary-dev-', '');
  const name = ofDeployment.replace(detailType, '<DetailType>').replace(datastore, 'export-<datastore>');
  test(`the runbook says what to do about ${AlarmName}`, () => {
    // A table names alarms that follow each other by their ends.
    const ending = name.replace('export-<datastore>', '…');
    assert.ok(runbook.includes(`\`${name}\``) || runbook.includes(`\`${ending}\``), name);
  });
}

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
