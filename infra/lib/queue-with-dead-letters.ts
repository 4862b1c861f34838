import type { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { EncryptedQueue } from './encrypted-queue.ts';

export interface QueueWithDeadLettersProps extends Deployment {
  /** The queue's name without the deployment's prefix; that of its dead-letter queue follows from it. */
  readonly name: string;
  /** How often a message is received before it goes to the dead-letter queue. */
  readonly maxReceiveCount: number;
  readonly visibilityTimeout?: Duration;
}

/** A queue and, under its name and `-dead-letters`, the queue for what its consumer gave back too often. */
export class QueueWithDeadLetters extends Construct {
  readonly queue: EncryptedQueue;
  readonly deadLetterQueue: EncryptedQueue;

  constructor(scope: Construct, id: string, props: QueueWithDeadLettersProps) {
    super(scope, id);
    const { name, maxReceiveCount, visibilityTimeout, ...deployment } = props;
    this.deadLetterQueue = new EncryptedQueue(this, 'DeadLetterQueue', { ...deployment, name: `${name}-dead-letters` });
    this.queue = new EncryptedQueue(this, 'Queue', {
      ...deployment,
      name,
      visibilityTimeout,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount },
    });
  }
}
