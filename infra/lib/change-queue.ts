import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { changeEventSource, type ChangeBus } from './change-bus.ts';
import { resourceName, type Deployment } from './deployment.ts';
import { EncryptedQueue } from './encrypted-queue.ts';
import type { ItemType } from './item-types.ts';

export interface ChangeQueueProps extends Deployment {
  readonly changeBus: ChangeBus;
  readonly itemType: ItemType;
}

/**
 * The changes of one item type: a rule on the bus and the queue that it fills.
 *
 * One dead-letter queue takes both what EventBridge could not deliver and what the consumer gave back too often, so
 * that there is one place to look at and to redrive from.
 */
export class ChangeQueue extends Construct {
  readonly itemType: ItemType;
  readonly queue: EncryptedQueue;
  readonly deadLetterQueue: EncryptedQueue;

  constructor(scope: Construct, id: string, props: ChangeQueueProps) {
    super(scope, id);
    this.itemType = props.itemType;
    const { detailType } = props.itemType;
    const name = `${kebabCase(detailType)}s`;

    this.deadLetterQueue = new EncryptedQueue(this, 'DeadLetterQueue', { ...props, name: `${name}-dead-letters` });
    this.queue = new EncryptedQueue(this, 'Queue', {
      ...props,
      name,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: 5 },
    });

    const rule = new events.Rule(this, 'Rule', {
      ruleName: resourceName(props.options, name),
      description: `${detailType} events to their queue`,
      eventBus: props.changeBus.bus,
      eventPattern: { source: [changeEventSource], detailType: [detailType] },
    });
    // The stock target for queues would admit EventBridge to the key once more, for every rule of the account.
    rule.addTarget({
      bind: () => ({
        arn: this.queue.queueArn,
        deadLetterConfig: { arn: this.deadLetterQueue.queueArn },
        // The most that EventBridge offers (EventBridge user guide, "How EventBridge retries delivering events").
        retryPolicy: {
          maximumRetryAttempts: 185,
          maximumEventAgeInSeconds: Duration.hours(24).toSeconds(),
        },
      }),
    });
    this.queue.admitEventBridge(rule.ruleArn);
    this.deadLetterQueue.admitEventBridge(rule.ruleArn);
  }
}

/** `RelatedPersonChange` to `related-person-change`. */
function kebabCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}
