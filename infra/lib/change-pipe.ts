import { Duration, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as pipes from 'aws-cdk-lib/aws-pipes';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';
import { rescuerTimeout } from './dead-letter-rescuer.ts';
import { resourceName, type Deployment } from './deployment.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import { EncryptedQueue } from './encrypted-queue.ts';
import type { ItemRouter } from './item-router.ts';
import type { ItemsTable } from './items-table.ts';
import { streamRetentionSeconds } from './options.ts';
import type { StreamEnricher } from './stream-enricher.ts';

export interface ChangePipeProps extends Deployment {
  readonly itemsTable: ItemsTable;
  readonly enricher: StreamEnricher;
  readonly router: ItemRouter;
}

/**
 * From the table's stream through the enricher to the router, and the queue for what the pipe gave up.
 *
 * A `CfnPipe`, because pipes have no stable construct of a higher level. It has no key of its own: events that flow
 * through a pipe are never stored (EventBridge user guide, "Encrypting EventBridge pipes data with AWS KMS keys").
 */
export class ChangePipe extends Construct {
  readonly pipeName: string;
  /** Shards and sequence ranges of the records that the pipe gave up; not the records. */
  readonly deadLetterQueue: EncryptedQueue;
  /** What the rescuer could not rescue while the stream still had it. */
  readonly unrescuedQueue: EncryptedQueue;

  constructor(scope: Construct, id: string, props: ChangePipeProps) {
    super(scope, id);
    this.pipeName = resourceName(props.options, 'changes');
    this.unrescuedQueue = new EncryptedQueue(this, 'UnrescuedQueue', { ...props, name: 'unrescued' });
    this.deadLetterQueue = this.createDeadLetterQueue(props);

    const role = this.createRole();
    props.itemsTable.grantFollowStream(role);
    props.enricher.grantInvoke(role);
    props.router.grantInvoke(role);
    this.deadLetterQueue.grantSend(role);

    const pipe = this.createPipe(props, role);
    // A pipe is checked against its role when it is created, so the role's policy has to be there.
    pipe.node.addDependency(role);
  }

  /** What AWS counts of the pipe (EventBridge user guide, "Logging and monitoring Amazon EventBridge Pipes"). */
  metric(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({
      ...options,
      namespace: 'AWS/EventBridge/Pipes',
      metricName,
      dimensionsMap: { PipeName: this.pipeName },
    });
  }

  private createDeadLetterQueue(props: ChangePipeProps): EncryptedQueue {
    // Lambda developer guide, "Creating and configuring an Amazon SQS event source mapping": six times the timeout.
    const visibilityTimeout = Duration.seconds(6 * rescuerTimeout.toSeconds());
    // The rescuer has as many attempts as fit into the time for which the stream still holds the records.
    const secondsLeft = streamRetentionSeconds - props.options.pipe.maximumRecordAgeSeconds;
    return new EncryptedQueue(this, 'DeadLetterQueue', {
      ...props,
      name: 'pipe-dead-letters',
      visibilityTimeout,
      deadLetterQueue: {
        queue: this.unrescuedQueue,
        maxReceiveCount: Math.floor(secondsLeft / visibilityTimeout.toSeconds()),
      },
    });
  }

  private createRole(): iam.Role {
    const stack = Stack.of(this);
    // EventBridge user guide, "Cross-service confused deputy prevention": only this pipe of this account.
    const role = new iam.Role(this, 'Role', {
      description: `What the pipe ${this.pipeName} may do`,
      assumedBy: new iam.ServicePrincipal('pipes.amazonaws.com', {
        conditions: {
          StringEquals: {
            'aws:SourceAccount': stack.account,
            'aws:SourceArn': stack.formatArn({ service: 'pipes', resource: 'pipe', resourceName: this.pipeName }),
          },
        },
      }),
    });
    acknowledge(role, {
      'HIPAA.Security-IAMNoInlinePolicy':
        'the policy is written for this role alone from what the constructs grant, and must come and go with it',
    });
    return role;
  }

  private createPipe(props: ChangePipeProps, role: iam.Role): pipes.CfnPipe {
    const { pipe } = props.options;
    const logGroup = new EncryptedLogGroup(this, 'LogGroup', {
      ...props,
      logGroupName: `/aws/vendedlogs/pipes/${this.pipeName}`,
    });
    logGroup.grantWrite(role);
    const filters = pipe.filterPatterns.map((pattern) => ({ pattern: JSON.stringify(pattern) }));
    return new pipes.CfnPipe(this, 'Pipe', {
      name: this.pipeName,
      description: "The Items table's changes to the event bus",
      roleArn: role.roleArn,
      source: props.itemsTable.streamArn,
      sourceParameters: {
        filterCriteria: filters.length > 0 ? { filters } : undefined,
        dynamoDbStreamParameters: {
          startingPosition: 'TRIM_HORIZON',
          batchSize: pipe.batchSize,
          maximumBatchingWindowInSeconds: pipe.batchingWindowSeconds,
          parallelizationFactor: pipe.parallelizationFactor,
          onPartialBatchItemFailure: 'AUTOMATIC_BISECT',
          maximumRetryAttempts: pipe.maximumRetryAttempts,
          maximumRecordAgeInSeconds: pipe.maximumRecordAgeSeconds,
          deadLetterConfig: { arn: this.deadLetterQueue.queueArn },
        },
      },
      enrichment: props.enricher.function.functionArn,
      target: props.router.function.functionArn,
      // A Lambda target can report single failures, and only if it is called synchronously.
      targetParameters: { lambdaFunctionParameters: { invocationType: 'REQUEST_RESPONSE' } },
      // `includeExecutionData` stays off: it would write whole records into the log.
      logConfiguration: {
        level: 'ERROR',
        cloudwatchLogsLogDestination: { logGroupArn: logGroup.logGroupArn },
      },
    });
  }
}
