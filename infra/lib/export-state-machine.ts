import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge, wildcardFinding } from './acknowledgements.ts';
import { publishLimitSeconds } from './datastore-options.ts';
import type { Datastore } from './datastore.ts';
import { resourceName, type Deployment } from './deployment.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import { logDeliveryContext } from './encryption-key.ts';
import type { ExportBucket } from './export-bucket.ts';
import { exportDefinition, publishLabel } from './export-definition.ts';
import type { ExportTaskQueue } from './export-task-queue.ts';
import type { RustFunction } from './rust-function.ts';

export interface ExportStateMachineProps extends Deployment {
  readonly datastore: Datastore;
  readonly exportBucket: ExportBucket;
  readonly startQueue: ExportTaskQueue;
  readonly coordinator: RustFunction;
  readonly publisher: RustFunction;
}

/**
 * The exports of one datastore: an execution is a run.
 *
 * It is under the deployment's key, although no resource passes through it: a failure's cause is whatever a service says.
 * With a key, AWS leaves input, output, error and cause out of the execution's events (Step Functions developer guide,
 * "Data at rest encryption in Step Functions").
 *
 * Tracing is off, for the same reason as that of the functions: its write actions cannot be limited to a resource.
 */
export class ExportStateMachine extends Construct {
  readonly stateMachineName: string;
  readonly stateMachineArn: string;
  readonly resource: sfn.StateMachine;

  constructor(scope: Construct, id: string, props: ExportStateMachineProps) {
    super(scope, id);
    const { datastore, key } = props;
    this.stateMachineName = resourceName(props.options, `export-${datastore.name}`);
    const logGroup = new EncryptedLogGroup(this, 'LogGroup', {
      ...props,
      logGroupName: `/aws/vendedlogs/states/${this.stateMachineName}`,
    });
    const role = this.createRole();
    this.grantExport(role, props);

    this.resource = new sfn.StateMachine(this, 'StateMachine', {
      stateMachineName: this.stateMachineName,
      comment: `Exports what changed in the datastore ${datastore.name}, and publishes it`,
      queryLanguage: sfn.QueryLanguage.JSONATA,
      definitionBody: sfn.DefinitionBody.fromChainable(exportDefinition(this, props)),
      // The states would grant themselves more than they need: every version of a function, a whole bucket, the key
      // without a condition.
      role: role.withoutPolicyUpdates(),
      // Nothing may hold the lease for ever: an execution that passes this is ended, and cleaned up after.
      timeout: Duration.seconds(datastore.settings.exportTimeoutSeconds + publishLimitSeconds),
      // Without execution data, which would have the causes of failures in it.
      logs: { destination: logGroup, level: sfn.LogLevel.ALL, includeExecutionData: false },
      tracingEnabled: false,
    });
    // What the map would grant. The role is closed to it, so that it would be a policy of nobody.
    this.resource.node.tryRemoveChild('DistributedMapPolicy');
    // `encryptionConfiguration` would admit log delivery to the key without a condition.
    const machine = this.resource.node.defaultChild as sfn.CfnStateMachine;
    machine.encryptionConfiguration = { type: 'CUSTOMER_MANAGED_KMS_KEY', kmsKeyId: key.keyArn };
    this.stateMachineArn = this.resource.stateMachineArn;
    acknowledge(this.resource, {
      'AwsSolutions-SF2':
        "X-Ray's write actions cannot be limited to a resource; the log has every state of every run, and a run is " +
        'named in all that the functions log of it',
    });
  }

  /** Starts runs of this datastore. */
  grantStart(grantee: iam.IGrantable): void {
    this.grant(grantee, 'states:StartExecution');
  }

  /**
   * Says that an export lives, or that it has failed. The service authorization reference names no resource type for these
   * actions; Step Functions checks them against the state machine whose token it is.
   */
  grantFailTask(grantee: iam.IGrantable): void {
    this.grant(grantee, 'states:SendTaskHeartbeat', 'states:SendTaskFailure');
  }

  /** The same, and what an export has brought. */
  grantEndTask(grantee: iam.IGrantable): void {
    this.grantFailTask(grantee);
    this.grant(grantee, 'states:SendTaskSuccess');
  }

  /** What AWS counts of the executions (Step Functions developer guide, "Monitoring Step Functions metrics"). */
  metric(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return this.resource.metric(metricName, options);
  }

  private grant(grantee: iam.IGrantable, ...actions: string[]): void {
    iam.Grant.addToPrincipal({ grantee, actions, resourceArns: [this.stateMachineArn] });
  }

  private createRole(): iam.Role {
    // Step Functions developer guide, "Prevent cross-service confused deputy issue": only this state machine, and the
    // child workflows of its map, of this account.
    const role = new iam.Role(this, 'Role', {
      description: `What the state machine ${this.stateMachineName} may do`,
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnLike: { 'aws:SourceArn': [this.arn('stateMachine'), this.arn('stateMachine', '/*')] },
        },
      }),
    });
    acknowledge(role, {
      'HIPAA.Security-IAMNoInlinePolicy':
        'the policy is written for this role alone from what the constructs grant, and must come and go with it',
    });
    return role;
  }

  private grantExport(role: iam.Role, props: ExportStateMachineProps): void {
    const { key } = props;
    props.coordinator.grantInvoke(role);
    props.publisher.grantInvoke(role);
    props.startQueue.queue.grantSend(role);
    props.exportBucket.grantReadManifest(role);
    this.grantRunMap(role);
    this.grantLog(role);

    // Step Functions developer guide, "Data at rest encryption in Step Functions": as the role itself, and under the name
    // of the state machine. Whether a child workflow's data is under that or under its own is not said.
    const names = [this.arn('stateMachine'), this.arn('stateMachine', `/${publishLabel}`)];
    key.grantInContext(role, 'aws:states:stateMachineArn', names, 'kms:Decrypt', 'kms:GenerateDataKey');
    // The same page, step 3, for what is on its way to the log group.
    key.grantInContext(role, 'SourceArn', logDeliveryContext(this), 'kms:GenerateDataKey');
  }

  /** Step Functions developer guide, "IAM policies for using Distributed Map states". */
  private grantRunMap(role: iam.Role): void {
    const executions = [this.arn('execution', ':*'), this.arn('execution', `/${publishLabel}:*`)];
    role.addToPolicy(
      new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [this.arn('stateMachine')] }),
    );
    role.addToPolicy(
      new iam.PolicyStatement({ actions: ['states:DescribeExecution', 'states:StopExecution'], resources: executions }),
    );
    for (const arn of executions) {
      acknowledge(role, {
        [wildcardFinding(this, arn)]: 'executions of this state machine and of its map are named when they are started',
      });
    }
  }

  /** Step Functions developer guide, "Using CloudWatch Logs to log execution history in Step Functions". */
  private grantLog(role: iam.Role): void {
    role.addToPolicy(
      new iam.PolicyStatement({
        sid: 'DeliverLogs',
        actions: [
          'logs:CreateLogDelivery',
          'logs:DeleteLogDelivery',
          'logs:DescribeLogGroups',
          'logs:DescribeResourcePolicies',
          'logs:GetLogDelivery',
          'logs:ListLogDeliveries',
          'logs:PutResourcePolicy',
          'logs:UpdateLogDelivery',
        ],
        resources: ['*'],
      }),
    );
    acknowledge(role, {
      'AwsSolutions-IAM5[Resource::*]':
        'CloudWatch Logs knows no resource for the actions that set a delivery up; with them the role can read no log',
    });
  }

  /** By name: a reference to the state machine would make a circle, because it refers to its role. */
  private arn(resource: 'stateMachine' | 'execution', suffix = ''): string {
    return Stack.of(this).formatArn({
      service: 'states',
      resource,
      resourceName: `${this.stateMachineName}${suffix}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }
}
