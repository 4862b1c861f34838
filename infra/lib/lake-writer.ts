import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import { EnvironmentVariable } from './environment-variables.ts';
import type { ItemsTable } from './items-table.ts';
import type { LakeBucket } from './lake-bucket.ts';
import type { LakeCatalog } from './lake-catalog.ts';
import { lakeConfiguration } from './lake-options.ts';
import { RustFunction } from './rust-function.ts';

export interface LakeWriterProps extends Deployment {
  readonly itemsTable: ItemsTable;
  readonly deadLetters: DeadLetters;
  readonly lakeBucket: LakeBucket;
  readonly catalog: LakeCatalog;
}

/**
 * Writes the table's changes into the lake. It is the second reader of the stream and the last: DynamoDB allows two per shard
 * (DynamoDB developer guide, "Change data capture for DynamoDB Streams"), and the other is the pipe.
 */
export class LakeWriter extends RustFunction {
  private readonly mapping: lambda.EventSourceMapping;

  constructor(scope: Construct, id: string, props: LakeWriterProps) {
    const { lake } = props.options;
    super(scope, id, {
      ...props,
      binaryName: 'lake-writer',
      // A batch is rounds of 32 requests to S3, then of 100 partitions to Glue. What is not done in time is reported, and comes
      // again.
      timeout: Duration.minutes(2),
      // A batch has 6 MB (Lambda developer guide, "Lambda quotas"), and is held a few times over while it is rewritten (I7).
      memorySize: 512,
      environment: {
        [EnvironmentVariable.lake]: lakeConfiguration(lake),
        [EnvironmentVariable.lakeBucketName]: props.lakeBucket.bucket.bucketName,
        [EnvironmentVariable.deadLetterBucketName]: props.deadLetters.bucket.bucketName,
        [EnvironmentVariable.glueDatabaseName]: props.catalog.databaseName,
        [EnvironmentVariable.rawTableName]: props.catalog.rawTableName,
        [EnvironmentVariable.compression]: lake.compression,
      },
    });
    // It reads the tables' columns when it starts, and must not find the old ones.
    this.function.node.addDependency(props.catalog);
    props.itemsTable.grantFollowStream(this.role);
    props.lakeBucket.grantWrite(this.role);
    props.catalog.grantRegisterPartitions(props.catalog.rawTableName, this.role);
    props.deadLetters.grantDepositOfLake(this.role);
    props.deadLetters.grantDepositBatch(this.role);

    const { bucketArn } = props.deadLetters.bucket;
    this.mapping = new lambda.EventSourceMapping(this, 'Stream', {
      target: this.function,
      eventSourceArn: props.itemsTable.streamArn,
      startingPosition: lambda.StartingPosition.TRIM_HORIZON,
      batchSize: lake.batchSize,
      maxBatchingWindow: Duration.seconds(lake.batchingWindowSeconds),
      reportBatchItemFailures: true,
      bisectBatchOnError: true,
      retryAttempts: lake.maximumRetryAttempts,
      maxRecordAge: Duration.seconds(lake.maximumRecordAgeSeconds),
      // S3 keeps the whole record, queues and topics its place in the stream alone (Lambda developer guide, "Retain discarded
      // records for a DynamoDB event source in Lambda"). The stock destination would grant more than writing.
      onFailure: { bind: () => ({ destination: bucketArn }) } satisfies lambda.IEventSourceDlq,
      metricsConfig: { metrics: [lambda.MetricType.EVENT_COUNT] },
    });
  }

  /** What Lambda counts of the stream's batches (Lambda developer guide, "Event source mapping metrics"). */
  metricOfStream(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({
      ...options,
      namespace: 'AWS/Lambda',
      metricName,
      dimensionsMap: { EventSourceMappingUUID: this.mapping.eventSourceMappingId },
    });
  }
}
