import { Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';
import { resourceName, type Deployment } from './deployment.ts';
import { EncryptedQueue } from './encrypted-queue.ts';

/** The `source` of every change event. */
export const changeEventSource = 'tributary.items';

/** The `source` of the events that carry the resources of a HealthLake export. */
export const resourceEventSource = 'tributary.fhir';

/** The `source` of the events that tell of the exports themselves. */
export const exportEventSource = 'tributary.exports';

/** The bus that all changes go out on, what it could not handle, and an archive to replay from. */
export class ChangeBus extends Construct {
  readonly bus: events.EventBus;
  readonly deadLetterQueue: EncryptedQueue;

  constructor(scope: Construct, id: string, deployment: Deployment) {
    super(scope, id);
    const { options, key } = deployment;
    const busName = resourceName(options);

    this.deadLetterQueue = new EncryptedQueue(this, 'DeadLetterQueue', { ...deployment, name: 'bus-dead-letters' });
    this.deadLetterQueue.admitEventBridge(
      Stack.of(this).formatArn({ service: 'events', resource: 'event-bus', resourceName: busName }),
    );
    acknowledge(this.deadLetterQueue, {
      'AwsSolutions-SQS3':
        'this queue is itself the dead-letter queue of the event bus, a use that the rule does not know',
    });

    // EventBridge user guide, "Using dead-letter queues to capture encrypted event errors": a bus under a
    // customer-managed key sends there what it can no longer encrypt or decrypt. Such an event may have its payload
    // encrypted (there, "Decrypting events in EventBridge dead-letter queues"); that it always has is not said, so the
    // queue is under the key as well. It helps where the key refuses the bus, not where the key serves nobody.
    this.bus = new events.EventBus(this, 'Bus', {
      eventBusName: busName,
      description: 'Changes of items, one detail type per item type; resources of exports; the exports themselves',
      deadLetterQueue: this.deadLetterQueue,
    });
    // `kmsKey` would admit the bus to the key a second time, and DescribeKey under a condition that it cannot meet.
    (this.bus.node.defaultChild as events.CfnEventBus).kmsKeyIdentifier = key.keyArn;

    // An archive keeps for ever unless told. `CfnArchive`, because `Archive` with a key adds the bus's own ARN to the
    // key's policy, and the bus under the same key makes that a circle.
    new events.CfnArchive(this, 'Archive', {
      archiveName: resourceName(options, 'changes'),
      description: 'Changes of items and resources of exports, to be replayed to the bus',
      sourceArn: this.bus.eventBusArn,
      eventPattern: { source: [changeEventSource, resourceEventSource] },
      retentionDays: options.archiveRetentionDays,
      kmsKeyIdentifier: key.keyArn,
    });
  }

  grantPutEvents(grantee: iam.IGrantable): void {
    iam.Grant.addToPrincipal({ grantee, actions: ['events:PutEvents'], resourceArns: [this.bus.eventBusArn] });
  }
}
