import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';
import type { ChangeBus } from './change-bus.ts';
import { resourceName, type Deployment } from './deployment.ts';
import { QueueWithDeadLetters } from './queue-with-dead-letters.ts';

export interface EventQueueProps extends Deployment {
  readonly changeBus: ChangeBus;
  /** Of the rule and the queue, without the deployment's prefix. */
  readonly name: string;
  /** Which events, in words. */
  readonly events: string;
  readonly eventPattern: events.EventPattern;
}

/**
 * Some of the bus's events: a rule and the queue that it fills.
 *
 * One dead-letter queue takes both what EventBridge could not deliver and what the consumer gave back too often, so
 * that there is one place to look at and to redrive from.
 */
export class EventQueue extends QueueWithDeadLetters {
  constructor(scope: Construct, id: string, props: EventQueueProps) {
    super(scope, id, { ...props, maxReceiveCount: 5 });

    const rule = new events.Rule(this, 'Rule', {
      ruleName: resourceName(props.options, props.name),
      description: `${props.events} to their queue`,
      eventBus: props.changeBus.bus,
      eventPattern: props.eventPattern,
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
