import { CfnOutput, type Stack } from 'aws-cdk-lib';
import type { ChangeQueue } from './change-queue.ts';
import { pascalCase } from './datastore-options.ts';
import type { Exports } from './exports.ts';
import { lakeConfiguration } from './lake-options.ts';
import type { Lake } from './lake.ts';
import type { Options } from './options.ts';
import type { QueueWithDeadLetters } from './queue-with-dead-letters.ts';

/** Gives each value an output of exactly that name: programs and the runbook look them up by it. */
export function addOutputs(stack: Stack, outputs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value });
}

/** `PatientChangeQueueUrl` and `PatientChangeDeadLetterQueueUrl`, for each item type. */
export function changeQueueOutputs(changeQueues: readonly ChangeQueue[]): Record<string, string> {
  return Object.assign({}, ...changeQueues.map((queue) => queueOutputs(queue.itemType.detailType, queue)));
}

/** What the datastores share, and `<Name>ExportStateMachineArn` and `<Name>DatastoreId` for each. */
export function exportOutputs(exports: Exports): Record<string, string> {
  const outputs: Record<string, string> = {
    ExportRunsTableName: exports.runsTable.tableName,
    ExportBucketName: exports.exportBucket.bucket.bucketName,
    CoordinatorFunctionName: exports.coordinator.function.functionName,
    StarterFunctionName: exports.starter.function.functionName,
    PollerFunctionName: exports.poller.function.functionName,
    PublisherFunctionName: exports.publisher.function.functionName,
    ExportScheduleDeadLetterQueueUrl: exports.scheduleDeadLetterQueue.queueUrl,
    ExportCleanUpDeadLetterQueueUrl: exports.cleanUpDeadLetterQueue.queueUrl,
    ...queueOutputs('ExportStarts', exports.startQueue),
    ...queueOutputs('ExportPolls', exports.pollQueue),
    ...queueOutputs('FhirResourceChanges', exports.resourceQueue),
    ...queueOutputs('ExportRuns', exports.runQueue),
  };
  for (const { datastore, stateMachine } of exports.ofDatastores) {
    const name = pascalCase(datastore.name);
    outputs[`${name}ExportStateMachineArn`] = stateMachine.stateMachineArn;
    outputs[`${name}DatastoreId`] = datastore.datastoreId;
  }
  return outputs;
}

export function lakeOutputs(lake: Lake, options: Options): Record<string, string> {
  return {
    LakeBucketName: lake.lakeBucket.bucket.bucketName,
    LakeDatabaseName: lake.catalog.databaseName,
    LakeWorkgroupName: lake.queries.workgroupName,
    QueryResultsBucketName: lake.queries.resultsBucket.bucketName,
    LakeWriterFunctionName: lake.writer.function.functionName,
    LakeCompactorFunctionName: lake.compactor.function.functionName,
    LakeConfiguration: lakeConfiguration(options.lake),
    LakeCompactionScheduleDeadLetterQueueUrl: lake.schedule.deadLetterQueue.queueUrl,
    ...queueOutputs('LakeCompactions', lake.compactions),
  };
}

function queueOutputs(name: string, { queue, deadLetterQueue }: QueueWithDeadLetters): Record<string, string> {
  return { [`${name}QueueUrl`]: queue.queueUrl, [`${name}DeadLetterQueueUrl`]: deadLetterQueue.queueUrl };
}
