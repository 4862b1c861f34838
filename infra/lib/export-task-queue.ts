import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { QueueWithDeadLetters } from './queue-with-dead-letters.ts';
import type { RustFunction } from './rust-function.ts';

/** The time that the function behind such a queue has for one message. */
export const exportTaskTimeout = Duration.seconds(60);

export interface ExportTaskQueueProps extends Deployment {
  /** The queue's name without the deployment's prefix. */
  readonly name: string;
}

/**
 * Messages that each stand for the next step of one export.
 *
 * What fails because HealthLake throttles or does not answer comes back after a minute and a half, for half an hour:
 * every attempt is a sign of life to the state machine. Six times the timeout, as Lambda has it for queues in general,
 * would leave too few attempts in that time; with one message at a time, none waits in a batch while the clock runs.
 */
export class ExportTaskQueue extends QueueWithDeadLetters {
  constructor(scope: Construct, id: string, props: ExportTaskQueueProps) {
    super(scope, id, { ...props, visibilityTimeout: Duration.seconds(90), maxReceiveCount: 20 });
  }

  /** Lets a function work at so many messages at once, two being the least that Lambda offers. */
  drive(worker: RustFunction, maxConcurrency: number): void {
    this.queue.grantPoll(worker.role);
    new lambda.EventSourceMapping(worker, 'Tasks', {
      target: worker.function,
      eventSourceArn: this.queue.queueArn,
      batchSize: 1,
      maxConcurrency,
      reportBatchItemFailures: true,
    });
  }
}
