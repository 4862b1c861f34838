import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke, SqsSendMessage, type LambdaInvokeJsonataProps } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import type { Construct } from 'constructs';
import type { Datastore } from './datastore.ts';
import type { ExportBucket } from './export-bucket.ts';
import type { ExportTaskQueue } from './export-task-queue.ts';
import type { RustFunction } from './rust-function.ts';

export interface ExportDefinitionProps {
  readonly datastore: Datastore;
  readonly exportBucket: ExportBucket;
  readonly startQueue: ExportTaskQueue;
  readonly coordinator: RustFunction;
  readonly publisher: RustFunction;
}

/** Of the Distributed Map: its child workflows have it in their ARNs. */
export const publishLabel = 'PublishRanges';

/**
 * What may pass when it is tried again: Lambda's own troubles, a function that ended in the middle, and what our functions
 * report of services that they need. Whatever else they report by a name will be no different the next time.
 */
const passingErrors = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Sandbox.Timedout',
  'Runtime.ExitError',
  'DependencyFailed',
];

/**
 * The states of one export, in JSONata.
 *
 * What a later state needs is kept in variables: `run` (as the coordinator leased it), `export` (what the poller found),
 * and after a failure `caught`. No state hands anything on, however much was exported: the ranges and what became of them
 * lie in S3. The children of the map answer `{}`, because their answers come back in one piece, and that has to stay under
 * 256 KiB (Step Functions developer guide, "Service quotas"): three bytes for each of up to 87,000 ranges.
 */
export function exportDefinition(scope: Construct, props: ExportDefinitionProps): sfn.IChainable {
  const { datastore, coordinator } = props;
  const { settings } = datastore;
  const context = {
    id: '{% $states.context.Execution.Name %}',
    startedAt: '{% $states.context.Execution.StartTime %}',
  };

  const takeLease = invoke(scope, 'TakeLease', coordinator, {
    comment: 'Gives the datastore to this run alone, and the run its window',
    payload: sfn.TaskInput.fromObject({
      step: 'begin',
      run: { ...context, executionArn: '{% $states.context.Execution.Id %}' },
      request: '{% $states.context.Execution.Input %}',
      datastore: leaseSettings(datastore),
    }),
    assign: {
      outcome: '{% $states.result.Payload.outcome %}',
      run: '{% $exists($states.result.Payload.run) ? $states.result.Payload.run : null %}',
    },
    outputs: {},
  });
  const skipped = sfn.Succeed.jsonata(scope, 'Skipped', {
    comment: 'Another run has the datastore, or there is nothing to export yet',
  });

  const startExport = SqsSendMessage.jsonata(scope, 'Export', {
    comment: 'Has HealthLake export what changed, and waits until starter or poller answers for the task token',
    queue: props.startQueue.queue,
    integrationPattern: sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
    messageBody: sfn.TaskInput.fromObject({ taskToken: '{% $states.context.Task.Token %}', run: '{% $run %}' }),
    heartbeatTimeout: sfn.Timeout.duration(Duration.seconds(settings.heartbeatSeconds)),
    taskTimeout: sfn.Timeout.duration(Duration.seconds(settings.exportTimeoutSeconds)),
    assign: { export: '{% $states.result %}' },
    outputs: {},
  });

  const publishRanges = sfn.DistributedMap.jsonata(scope, 'PublishRanges', {
    comment: 'Publishes the exported files range by range; one that fails for good fails the run',
    label: publishLabel,
    mapExecutionType: sfn.StateMachineType.STANDARD,
    itemReader: new sfn.S3JsonItemReader({
      bucket: props.exportBucket.bucket,
      key: '{% $export.manifestKey %}',
    }),
    itemSelector: { run: '{% $run %}', range: '{% $states.context.Map.Item.Value %}' },
    maxConcurrency: settings.publishConcurrency,
    outputs: {},
  }).itemProcessor(
    invoke(scope, 'PublishRange', props.publisher, {
      comment: 'Sends the resources of one range to the bus and notes in S3 what became of them',
      payload: sfn.TaskInput.fromText('{% $states.input %}'),
      outputs: {},
    }),
  );

  const commit = invoke(scope, 'Commit', coordinator, {
    comment: 'Moves the cursor to the end of the window and frees the lease',
    payload: sfn.TaskInput.fromObject({ step: 'commit', run: '{% $run %}', export: '{% $export %}' }),
    assign: { status: '{% $states.result.Payload.status %}' },
    outputs: {},
  });
  const completed = sfn.Succeed.jsonata(scope, 'Completed', { comment: 'The next window begins where this one ends' });
  const incomplete = sfn.Succeed.jsonata(scope, 'Incomplete', {
    comment: 'HealthLake left something out: what there is was published, and the cursor stays for the next run',
  });

  const recordFailure = invoke(scope, 'RecordFailure', coordinator, {
    comment: 'Frees the lease, cancels a job that still runs, leaves the cursor, and says why',
    payload: sfn.TaskInput.fromObject({
      step: 'fail',
      datastoreId: datastore.datastoreId,
      run: context,
      error: '{% $caught %}',
    }),
    assign: { failure: '{% $states.result.Payload %}' },
    outputs: {},
  });
  const failed = sfn.Fail.jsonata(scope, 'Failed', {
    comment: 'The next run takes the same window, and what has changed since',
    error: '{% $failure.code %}',
    cause: '{% $failure.cause %}',
  });
  for (const state of [takeLease, startExport, publishRanges, commit]) {
    state.addCatch(recordFailure, {
      errors: [sfn.Errors.ALL],
      assign: {
        caught: {
          name: "{% $exists($states.errorOutput.Error) ? $states.errorOutput.Error : '' %}",
          cause: "{% $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '' %}",
        },
      },
      outputs: {},
    });
  }
  recordFailure.next(failed);

  const isComplete = sfn.Choice.jsonata(scope, 'IsComplete', { comment: 'Was all of it exported?' })
    .when(sfn.Condition.jsonata("{% $status = 'COMPLETED' %}"), completed)
    .otherwise(incomplete);
  commit.next(isComplete);

  const isAnythingExported = sfn.Choice.jsonata(scope, 'IsAnythingExported', { comment: 'Is there a range at all?' })
    .when(sfn.Condition.jsonata('{% $export.ranges > 0 %}'), publishRanges.next(commit))
    .otherwise(commit);

  const isLeased = sfn.Choice.jsonata(scope, 'IsLeased', { comment: 'Does the datastore belong to this run?' })
    .when(sfn.Condition.jsonata("{% $outcome = 'leased' %}"), startExport.next(isAnythingExported))
    .otherwise(skipped);
  return takeLease.next(isLeased);
}

type InvokeProps = Pick<LambdaInvokeJsonataProps, 'comment' | 'payload' | 'assign' | 'outputs'>;

/** A task that a function does, tried again for about a minute where that may help. */
function invoke(scope: Construct, id: string, worker: RustFunction, props: InvokeProps): LambdaInvoke {
  const task = LambdaInvoke.jsonata(scope, id, {
    ...props,
    lambdaFunction: worker.function,
    retryOnServiceExceptions: false,
  });
  task.addRetry({
    errors: passingErrors,
    interval: Duration.seconds(1),
    backoffRate: 2,
    maxDelay: Duration.seconds(30),
    maxAttempts: 6,
    jitterStrategy: sfn.JitterType.FULL,
  });
  return task;
}

/** What the coordinator has to know of the datastore, and hands on with the run. */
function leaseSettings({ datastoreId, settings }: Datastore): Record<string, unknown> {
  const { scope, resourceTypes, tags, overlapSeconds, leaseSeconds, rangeBytes, poll } = settings;
  return { id: datastoreId, scope, resourceTypes, tags, overlapSeconds, leaseSeconds, rangeBytes, poll };
}
