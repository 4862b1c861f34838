import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { Datastore } from './datastore.ts';
import { resourceName, type Deployment } from './deployment.ts';
import type { EncryptedQueue } from './encrypted-queue.ts';
import type { ExportCoordinator } from './export-coordinator.ts';
import type { ExportStateMachine } from './export-state-machine.ts';

export interface ExportCleanUpProps extends Deployment {
  readonly datastore: Datastore;
  readonly stateMachine: ExportStateMachine;
  readonly coordinator: ExportCoordinator;
  /** For what EventBridge could not hand to the coordinator. */
  readonly deadLetterQueue: EncryptedQueue;
}

/**
 * Has the coordinator clean up after an execution that did not end by itself: one that was stopped, ran out of time, or
 * failed where no state could catch it. For a failure that was recorded already there is nothing left to do.
 */
export class ExportCleanUp extends Construct {
  constructor(scope: Construct, id: string, props: ExportCleanUpProps) {
    super(scope, id);
    const { datastore, stateMachine, coordinator, deadLetterQueue } = props;
    // AWS services send their events to the account's default bus.
    const rule = new events.Rule(this, 'Rule', {
      ruleName: resourceName(props.options, `export-${datastore.name}-clean-up`),
      description: `Runs of the datastore ${datastore.name} that did not end by themselves`,
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: [stateMachine.stateMachineArn],
          status: ['FAILED', 'TIMED_OUT', 'ABORTED'],
        },
      },
    });
    rule.addTarget(
      new LambdaFunction(coordinator.function, {
        event: events.RuleTargetInput.fromObject({
          step: 'clean-up',
          datastoreId: datastore.datastoreId,
          run: {
            id: events.EventField.fromPath('$.detail.name'),
            // Epoch milliseconds (Step Functions developer guide, "Automating Step Functions event delivery with
            // EventBridge").
            startedAt: events.EventField.fromPath('$.detail.startDate'),
          },
          status: events.EventField.fromPath('$.detail.status'),
        }),
        deadLetterQueue,
        // The most that EventBridge offers (EventBridge user guide, "How EventBridge retries delivering events").
        retryAttempts: 185,
        maxEventAge: Duration.hours(24),
      }),
    );
  }
}
