import { Duration } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';
import type { Deployment } from './deployment.ts';
import { EncryptedBucket } from './encrypted-bucket.ts';
import { EncryptedQueue } from './encrypted-queue.ts';

const deadLettersPrefix = 'dead/';

/** Lines of exported files that are no FHIR resource. */
const deadLinesPrefix = `${deadLettersPrefix}lines/`;

/** Records that the lake writer cannot read. */
const deadRecordsOfLakePrefix = `${deadLettersPrefix}lake/`;

/**
 * Batches that Lambda gave up (Lambda developer guide, "Retain discarded records for a DynamoDB event source in Lambda").
 */
const discardedBatchesPrefix = 'aws/lambda/';

/**
 * What did not reach the bus or the lake, whole, in a bucket: records, and lines of exports. A queue tells an operator which
 * records the bus did not get, and why.
 */
export class DeadLetters extends Construct {
  readonly bucket: EncryptedBucket;
  readonly rejectsQueue: EncryptedQueue;

  constructor(scope: Construct, id: string, deployment: Deployment) {
    super(scope, id);
    this.bucket = new EncryptedBucket(this, 'Bucket', {
      ...deployment,
      retention: Duration.days(deployment.options.deadLetterRetentionDays),
    });
    this.rejectsQueue = new EncryptedQueue(this, 'RejectsQueue', { ...deployment, name: 'rejects' });
    acknowledge(this.rejectsQueue, {
      'AwsSolutions-SQS3':
        'no program consumes this queue: an operator reads it, and the record that a message refers to is in the bucket ' +
        'for longer than any queue keeps a message',
    });
  }

  grantDeposit(grantee: iam.IRole): void {
    this.bucket.grantPutUnder(deadLettersPrefix, grantee);
  }

  grantDepositLine(grantee: iam.IRole): void {
    this.bucket.grantPutUnder(deadLinesPrefix, grantee);
  }

  grantDepositOfLake(grantee: iam.IRole): void {
    this.bucket.grantPutUnder(deadRecordsOfLakePrefix, grantee);
  }

  /** What Lambda asks of a function's role to write what it discards (same page as above), the look at the bucket included. */
  grantDepositBatch(grantee: iam.IRole): void {
    this.bucket.grantPutUnder(discardedBatchesPrefix, grantee);
    this.bucket.grantList(grantee);
  }

  grantReport(grantee: iam.IRole): void {
    this.rejectsQueue.grantSend(grantee);
  }

  /** Finds, reads and, once they are replayed, removes the dead letters. */
  grantReplay(grantee: iam.IRole): void {
    this.grantTakeUnder(deadLettersPrefix, grantee);
  }

  /** The same for what is missing in the lake. */
  grantReplayOfLake(grantee: iam.IRole): void {
    this.grantTakeUnder(deadRecordsOfLakePrefix, grantee);
    this.grantTakeUnder(discardedBatchesPrefix, grantee);
  }

  private grantTakeUnder(prefix: string, grantee: iam.IRole): void {
    this.bucket.grantList(grantee);
    this.bucket.grantGetUnder(prefix, grantee);
    this.bucket.grantDeleteUnder(prefix, grantee);
  }
}
