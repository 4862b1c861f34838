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

/**
 * What did not reach the bus, whole, in a bucket: records, and lines of exports. A queue tells an operator which records
 * and why.
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

  grantReport(grantee: iam.IRole): void {
    this.rejectsQueue.grantSend(grantee);
  }

  /** Finds, reads and, once they are replayed, removes the dead letters. */
  grantReplay(grantee: iam.IRole): void {
    this.bucket.grantListUnder(deadLettersPrefix, grantee);
    this.bucket.grantGetUnder(deadLettersPrefix, grantee);
    this.bucket.grantDeleteUnder(deadLettersPrefix, grantee);
  }
}
