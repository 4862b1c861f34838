import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { ChangePipe } from './change-pipe.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import { EnvironmentVariable } from './environment-variables.ts';
import type { ItemsTable } from './items-table.ts';
import { RustFunction } from './rust-function.ts';

export const rescuerTimeout = Duration.minutes(5);

export interface DeadLetterRescuerProps extends Deployment {
  readonly changePipe: ChangePipe;
  readonly itemsTable: ItemsTable;
  readonly deadLetters: DeadLetters;
}

/** Reads the records that the pipe gave up from the stream, before it forgets them, and keeps them as dead letters. */
export class DeadLetterRescuer extends RustFunction {
  constructor(scope: Construct, id: string, props: DeadLetterRescuerProps) {
    super(scope, id, {
      ...props,
      binaryName: 'dead-letter-rescuer',
      timeout: rescuerTimeout,
      memorySize: 512,
      environment: {
        [EnvironmentVariable.deadLetterBucketName]: props.deadLetters.bucket.bucketName,
      },
    });
    props.itemsTable.grantReadStream(this.role);
    props.deadLetters.grantDeposit(this.role);
    props.changePipe.deadLetterQueue.grantPoll(this.role);

    // One message stands for a whole batch of records, so each has the function's time to itself. Two at a time is the
    // least that Lambda offers, and leaves the shards' read rate to the pipe.
    new lambda.EventSourceMapping(this, 'PipeDeadLetters', {
      target: this.function,
      eventSourceArn: props.changePipe.deadLetterQueue.queueArn,
      batchSize: 1,
      maxConcurrency: 2,
      reportBatchItemFailures: true,
    });
  }
}
