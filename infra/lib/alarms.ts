import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { ChangeBus } from './change-bus.ts';
import type { ChangePipe } from './change-pipe.ts';
import type { ChangeQueue } from './change-queue.ts';
import type { DatastoreExports } from './datastore-exports.ts';
import { rateSeconds } from './schedule-expression.ts';
import type { DeadLetterRescuer } from './dead-letter-rescuer.ts';
import type { DeadLetters } from './dead-letters.ts';
import { resourceName, type Deployment } from './deployment.ts';
import type { EncryptedQueue } from './encrypted-queue.ts';
import { alarmArns } from './encryption-key.ts';
import type { Exports } from './exports.ts';
import type { Lake } from './lake.ts';
import { mergeBytes } from './lake-options.ts';
import type { LakeWriter } from './lake-writer.ts';
import type { RustFunction } from './rust-function.ts';

export interface AlarmsProps extends Deployment {
  readonly changeBus: ChangeBus;
  readonly changePipe: ChangePipe;
  readonly changeQueues: readonly ChangeQueue[];
  readonly deadLetters: DeadLetters;
  readonly enricher: RustFunction;
  readonly router: RustFunction;
  readonly rescuer: DeadLetterRescuer;
  readonly replayer: RustFunction;
  readonly exports?: Exports;
  readonly lake: Lake;
}

const period = Duration.minutes(5);
const sum: cloudwatch.MetricOptions = { period, statistic: 'Sum' };

/** Whatever loses a change unless somebody acts, as alarms on one topic. */
export class Alarms extends Construct {
  private readonly deployment: Deployment;
  private readonly topic: sns.Topic;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { changeBus, changePipe, changeQueues, deadLetters, options } = props;
    const { enricher, router, rescuer, replayer } = props;
    this.deployment = props;
    this.topic = this.createTopic();

    this.whenNotEmpty('unrescued', changePipe.unrescuedQueue, 'the stream forgets records that were not rescued');
    this.whenNotEmpty('rejects', deadLetters.rejectsQueue, 'rejected records wait to be mended and replayed');
    this.whenNotEmpty('bus-dead-letters', changeBus.deadLetterQueue, 'the bus cannot use the encryption key');
    this.whenOlderThan('rescue-late', changePipe.deadLetterQueue, Duration.hours(1), 'the rescuer does not keep up');
    // A rescued record leaves no message in any queue; without these nobody would learn that it waits.
    this.whenAny('records-rescued', rescuer.metric('RecordsRescued', sum), 'rescued changes wait to be replayed');
    this.whenAny('rescue-failed', rescuer.metric('RangesFailed', sum), 'the stream forgets what is not rescued');

    for (const { itemType, queue, deadLetterQueue } of changeQueues) {
      const halfTheRetention = Duration.hours(options.queueRetentionDays * 12);
      const { detailType } = itemType;
      this.whenNotEmpty(`${detailType}-dead-letters`, deadLetterQueue, `${detailType} events were not handled`);
      this.whenOlderThan(`${detailType}-unread`, queue, halfTheRetention, `${detailType} events are about to expire`);
    }
    for (const { binaryName, function: pipeFunction } of [enricher, router]) {
      this.whenPersistent(`${binaryName}-errors`, pipeFunction.metricErrors(sum), 'the function fails again and again');
    }
    // These run so seldom that there would be no second failure for long: the rescuer's messages come every half hour.
    for (const { binaryName, function: rareFunction } of [rescuer, replayer]) {
      this.whenAny(`${binaryName}-errors`, rareFunction.metricErrors(sum), 'the function failed');
    }
    // There is no metric of a pipe's state. A pipe that is about to be switched off fails continuously before
    // (EventBridge user guide, "EventBridge Pipes error handling and troubleshooting" and "CloudWatch metrics").
    const failed = changePipe.metric('ExecutionFailed', sum);
    this.whenPersistent('pipe-failures', failed, 'the pipe fails, and AWS may switch it off');
    // What the router reports record by record is no failed execution, and no error of the function.
    const partiallyFailed = changePipe.metric('ExecutionPartiallyFailed', sum);
    this.whenPersistent('pipe-partial-failures', partiallyFailed, 'the router cannot hand on some of the changes');
    const timedOut = changePipe.metric('ExecutionTimeout', sum);
    this.whenPersistent('pipe-timeouts', timedOut, 'executions of the pipe do not end in time');

    if (props.exports !== undefined) this.watchExports(props.exports);
    this.watchLake(props.lake, changePipe);
  }

  private watchLake(lake: Lake, changePipe: ChangePipe): void {
    const { writer, replayer, compactor, compactions, schedule } = lake;
    const { options } = this.deployment;
    // Records that are reported one by one are no errors of the function; they hold up their shard.
    const behind = writer.function.metric('IteratorAge', { period, statistic: 'Maximum' });
    this.alarm('lake-writer-late', {
      metric: behind,
      threshold: Duration.hours(1).toMilliseconds(),
      evaluationPeriods: 3,
      alarmDescription: 'the lake is an hour behind the table, and the stream forgets',
    });
    this.watchIdleWriter(writer, changePipe);
    this.whenPersistent('lake-writer-errors', writer.function.metricErrors(sum), 'the function fails again and again');
    this.whenAny('lake-records-rejected', writer.metric('Rejected', sum), 'records are in the dead letters, not the lake');
    const discarded = writer.metricOfStream('OnFailureDestinationDeliveredEventCount', sum);
    this.whenAny('lake-records-discarded', discarded, 'records were given up: in the dead letters, not the lake');
    const undelivered = writer.function.metric('DestinationDeliveryFailures', sum);
    this.whenAny('lake-records-lost', undelivered, 'records were given up, and could not be kept as dead letters');
    this.whenAny('lake-replayer-errors', replayer.function.metricErrors(sum), 'the function failed');

    // A plan that fails is an error of the function, and the next is an hour away. A directory that fails comes back by its
    // queue, and is one only where the function ran out of time or memory. Nothing is lost, and queries get slower.
    this.whenAny('lake-compactor-errors', compactor.function.metricErrors(sum), 'the function failed');
    // Every plan that comes to its end counts its directories, also where there are none.
    const plans = compactor.metric('Directories', { statistic: 'SampleCount' });
    this.whenOverdue('lake-plan-late', options.lake.compactionSchedule, plans, 'the lake was not planned');
    this.whenNotEmpty('lake-compactions-dead-letters', compactions.deadLetterQueue, 'files could not be compacted');
    this.whenNotEmpty('lake-compaction-dead-letters', schedule.deadLetterQueue, 'the schedule could not start a plan');
    // Whatever is a day old is due, so that a day and a half means that it was not compacted when it was.
    const uncompacted = compactor.metric('OldestUncompactedHours', { period: Duration.hours(1), statistic: 'Maximum' });
    this.alarm('lake-uncompacted', {
      metric: uncompacted,
      threshold: 36,
      evaluationPeriods: 1,
      alarmDescription: 'changes of the day before yesterday are still in small files',
    });
    // A whole folder is merged when half as much has come to it, and at half of what a merge reads there is room for that.
    const largest = compactor.metric('LargestLatestBytes', { period: Duration.hours(1), statistic: 'Maximum' });
    this.alarm('lake-latest-large', {
      metric: largest,
      threshold: mergeBytes(options.lake) / 2,
      evaluationPeriods: 1,
      alarmDescription: 'a folder of latest/ is about to be too large to be merged: raise lake.latestBuckets',
    });
  }

  /**
   * A mapping that is switched off, or that may not read the stream, invokes nothing: no errors, no age, and after a day the
   * stream forgets. Whether there was anything to read, the stream's other reader tells. Where there is nothing to count, a
   * metric may be missing, which FILL takes for 0 (CloudWatch user guide, "Using math expressions with CloudWatch metrics").
   */
  private watchIdleWriter(writer: LakeWriter, changePipe: ChangePipe): void {
    if (!this.deployment.target.takesMetricMath) return;
    const idle = new cloudwatch.MathExpression({
      expression: 'IF(FILL(changes, 0) > 0 AND FILL(polled, 0) == 0, 1, 0)',
      usingMetrics: {
        changes: changePipe.metric('EventCount', { statistic: 'Sum' }),
        polled: writer.metricOfStream('PolledEventCount', { statistic: 'Sum' }),
      },
      // Three times the longest window for which the mapping may gather a batch.
      period: Duration.minutes(15),
    });
    this.whenPersistent('lake-writer-idle', idle, 'the table changes, and the lake writer is given nothing');
  }

  private watchExports(exports: Exports): void {
    const { coordinator, starter, poller, publisher, startQueue, pollQueue, resourceQueue, runQueue } = exports;
    const { scheduleDeadLetterQueue, cleanUpDeadLetterQueue } = exports;
    const resources = 'fhir-resource-changes';
    const halfTheRetention = Duration.hours(this.deployment.options.queueRetentionDays * 12);

    this.whenAny('failed-runs', coordinator.metric('FailedRuns', sum), 'runs failed; the cursor stays for the next');
    this.whenAny('incomplete-runs', coordinator.metric('IncompleteRuns', sum), 'HealthLake left something out');
    this.whenAny('rejected-lines', publisher.metric('RejectedLines', sum), 'exported lines are no FHIR resources');

    this.whenNotEmpty('export-starts-dead-letters', startQueue.deadLetterQueue, 'an export could not be started');
    this.whenNotEmpty('export-polls-dead-letters', pollQueue.deadLetterQueue, 'nobody looks after a running export');
    this.whenNotEmpty('export-schedule-dead-letters', scheduleDeadLetterQueue, 'a schedule could not start a run');
    this.whenNotEmpty('export-clean-up-dead-letters', cleanUpDeadLetterQueue, 'a run may hold the lease and a job');
    this.whenNotEmpty('export-runs-dead-letters', runQueue.deadLetterQueue, 'events of export runs were not handled');
    this.whenNotEmpty(`${resources}-dead-letters`, resourceQueue.deadLetterQueue, 'resources were not handled');
    this.whenOlderThan(`${resources}-unread`, resourceQueue.queue, halfTheRetention, 'resources are about to expire');

    for (const { binaryName, function: exporter } of [coordinator, starter, poller, publisher]) {
      this.whenPersistent(`${binaryName}-errors`, exporter.metricErrors(sum), 'the function fails again and again');
    }
    for (const ofDatastore of exports.ofDatastores) this.watchDatastore(ofDatastore);
  }

  private watchDatastore({ datastore, stateMachine }: DatastoreExports): void {
    const { name, settings } = datastore;
    this.whenAny(`export-${name}-failed`, stateMachine.metric('ExecutionsFailed', sum), 'a run failed');
    this.whenAny(`export-${name}-timed-out`, stateMachine.metric('ExecutionsTimedOut', sum), 'a run took too long');
    this.whenAny(`export-${name}-aborted`, stateMachine.metric('ExecutionsAborted', sum), 'somebody stopped a run');

    if (!settings.scheduleEnabled) return;
    // A run that finds the lease taken succeeds too: who holds it for too long is told of by its own time limit.
    const succeeded = stateMachine.metric('ExecutionsSucceeded', { statistic: 'Sum' });
    this.whenOverdue(`export-${name}-late`, settings.schedule, succeeded, 'no run succeeded');
  }

  private createTopic(): sns.Topic {
    const { key, options } = this.deployment;
    const topic = new sns.Topic(this, 'Topic', {
      topicName: resourceName(options, 'alarms'),
      masterKey: key,
      enforceSSL: true,
    });
    // A topic with a policy of its own no longer has the default one, which admits the account's alarms.
    topic.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: { 'aws:SourceArn': alarmArns(this, options) },
        },
      }),
    );
    if (options.alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(options.alarmEmail));
    return topic;
  }

  private whenNotEmpty(name: string, queue: EncryptedQueue, description: string): void {
    const metric = queue.metricApproximateNumberOfMessagesVisible({ period, statistic: 'Maximum' });
    this.alarm(name, { metric, threshold: 1, evaluationPeriods: 1, alarmDescription: description });
  }

  private whenOlderThan(name: string, queue: EncryptedQueue, age: Duration, description: string): void {
    const metric = queue.metricApproximateAgeOfOldestMessage({ period, statistic: 'Maximum' });
    this.alarm(name, { metric, threshold: age.toSeconds(), evaluationPeriods: 1, alarmDescription: description });
  }

  /** For what somebody has to know of the first time that it happens. */
  private whenAny(name: string, metric: cloudwatch.Metric, description: string): void {
    this.alarm(name, { metric, threshold: 1, evaluationPeriods: 1, alarmDescription: description });
  }

  /** For failures that are retried, and of which the first few are no reason to wake anybody. */
  private whenPersistent(name: string, metric: cloudwatch.IMetric, description: string): void {
    this.alarm(name, { metric, threshold: 1, evaluationPeriods: 3, alarmDescription: description });
  }

  /** For what a schedule brings about. `metric` counts what has come to its end. */
  private whenOverdue(name: string, schedule: string, metric: cloudwatch.Metric, description: string): void {
    const seconds = rateSeconds(schedule);
    // An alarm looks back a day, whatever its period (CloudWatch API reference, "PutMetricAlarm"); a cron expression has no
    // period at all.
    if (seconds === undefined || 3 * seconds > Duration.days(1).toSeconds()) return;
    this.alarm(name, {
      metric: metric.with({ period: Duration.seconds(seconds) }),
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: 1,
      evaluationPeriods: 3,
      // No data means that nothing starts.
      treatMissingData: cloudwatch.TreatMissingData.BREACHING,
      alarmDescription: `${description} in three periods of the schedule, or the first is still to come`,
    });
  }

  private alarm(name: string, props: Omit<cloudwatch.AlarmProps, 'alarmName'>): void {
    const alarm = new cloudwatch.Alarm(this, name, {
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      ...props,
      alarmName: resourceName(this.deployment.options, name),
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
  }
}
