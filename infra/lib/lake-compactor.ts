import { Duration, Size } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { EnvironmentVariable } from './environment-variables.ts';
import type { LakeBucket } from './lake-bucket.ts';
import type { LakeCatalog } from './lake-catalog.ts';
import { lakeConfiguration, mergeBytes } from './lake-options.ts';
import type { QueueWithDeadLetters } from './queue-with-dead-letters.ts';
import { RustFunction } from './rust-function.ts';

/** The most that Lambda gives (Lambda developer guide, "Configure Lambda function timeout"). */
export const compactorTimeout = Duration.minutes(15);

/** How many directories are compacted at once. */
const maxConcurrency = 10;

export interface LakeCompactorProps extends Deployment {
  readonly lakeBucket: LakeBucket;
  readonly catalog: LakeCatalog;
  /** A message per directory. */
  readonly compactions: QueueWithDeadLetters;
}

/** Finds the directories of the lake whose files are due to be replaced by larger ones, and replaces those of one. */
export class LakeCompactor extends RustFunction {
  constructor(scope: Construct, id: string, props: LakeCompactorProps) {
    const { lake } = props.options;
    const { queue } = props.compactions;
    super(scope, id, {
      ...props,
      binaryName: 'lake-compactor',
      timeout: compactorTimeout,
      memorySize: lake.compactorMemory,
      ephemeralStorageSize: Size.mebibytes(lake.compactorStorage),
      environment: {
        [EnvironmentVariable.lake]: lakeConfiguration(lake),
        [EnvironmentVariable.lakeBucketName]: props.lakeBucket.bucket.bucketName,
        [EnvironmentVariable.glueDatabaseName]: props.catalog.databaseName,
        [EnvironmentVariable.compactTableName]: props.catalog.compactTableName,
        [EnvironmentVariable.compactionsQueueUrl]: queue.queueUrl,
        [EnvironmentVariable.settleSeconds]: String(lake.settleSeconds),
        [EnvironmentVariable.keepReplacedSeconds]: String(lake.keepReplacedSeconds),
        // The other half is for code, requests and what the allocator keeps. Of this one, rows get half, and the buffers of
        // files that are read and written the rest (I7).
        [EnvironmentVariable.memoryBytes]: String((lake.compactorMemory * 1_048_576) / 2),
        [EnvironmentVariable.latestBuckets]: String(lake.latestBuckets),
        [EnvironmentVariable.mergeFiles]: String(lake.mergeFiles),
        [EnvironmentVariable.mergeBytes]: String(mergeBytes(lake)),
        [EnvironmentVariable.fileBytes]: String(lake.fileBytes),
      },
    });
    // It reads the table's columns when it starts, and must not find the old ones.
    this.function.node.addDependency(props.catalog);
    props.lakeBucket.grantCompact(this.role);
    props.catalog.grantRegisterPartitions(props.catalog.compactTableName, this.role);
    queue.grantSend(this.role);
    queue.grantPoll(this.role);

    // A directory has the function's time, memory and storage to itself.
    new lambda.EventSourceMapping(this, 'Directories', {
      target: this.function,
      eventSourceArn: queue.queueArn,
      batchSize: 1,
      maxConcurrency,
      reportBatchItemFailures: true,
    });
  }
}
