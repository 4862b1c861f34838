import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { removalPolicy, resourceName, type Deployment } from './deployment.ts';

export interface EncryptedQueueProps extends Deployment {
  /** The queue's name without the deployment's prefix. */
  readonly name: string;
  readonly visibilityTimeout?: Duration;
  readonly deadLetterQueue?: sqs.DeadLetterQueue;
}

/**
 * The most that SQS takes (SQS developer guide, "Amazon SQS message quotas"). Said outright, because a queue that leaves it
 * out can be held to the 262,144 bytes of old, and would refuse an event that the bus accepts when
 * `putEventsRequestBytes` is raised.
 */
const maximumMessageBytes = 1_048_576;

/** A queue under the deployment's key, which keeps its messages as long as the options say. */
export class EncryptedQueue extends sqs.Queue {
  private readonly deployment: Deployment;

  constructor(scope: Construct, id: string, props: EncryptedQueueProps) {
    super(scope, id, {
      queueName: resourceName(props.options, props.name),
      encryption: sqs.QueueEncryption.KMS,
      encryptionMasterKey: props.key,
      enforceSSL: true,
      maxMessageSizeBytes: maximumMessageBytes,
      retentionPeriod: Duration.days(props.options.queueRetentionDays),
      visibilityTimeout: props.visibilityTimeout,
      deadLetterQueue: props.deadLetterQueue,
      removalPolicy: removalPolicy(props.options),
    });
    this.deployment = props;
  }

  /** SendMessage alone; `grantSendMessages` would add the key without the condition on SQS. */
  grantSend(grantee: iam.IGrantable): void {
    iam.Grant.addToPrincipal({ grantee, actions: ['sqs:SendMessage'], resourceArns: [this.queueArn] });
    this.deployment.key.grantThrough(grantee, 'sqs', 'kms:GenerateDataKey', 'kms:Decrypt');
  }

  /** What an event source mapping needs (Lambda developer guide, "Using Lambda with Amazon SQS"). */
  grantPoll(grantee: iam.IGrantable): void {
    const actions = ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'];
    iam.Grant.addToPrincipal({ grantee, actions, resourceArns: [this.queueArn] });
    this.deployment.key.grantThrough(grantee, 'sqs', 'kms:Decrypt');
  }

  /** Lets EventBridge send on behalf of one rule or one bus. The key's policy admits them already. */
  admitEventBridge(sourceArn: string): void {
    this.addToResourcePolicy(
      new iam.PolicyStatement({
        principals: [new iam.ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.queueArn],
        conditions: { ArnEquals: { 'aws:SourceArn': sourceArn } },
      }),
    );
  }
}
