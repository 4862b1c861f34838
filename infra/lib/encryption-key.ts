import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { removalPolicy, resourceName } from './deployment.ts';
import type { Options } from './options.ts';

/** A service through which a role may use the key. */
export type KeyedService = 'dynamodb' | 'healthlake' | 's3' | 'sqs';

/**
 * The customer-managed key of the deployment.
 *
 * The services that use it are admitted here, by the *names* of their resources. A policy that referred to the resources
 * would make a circle, because each of them refers to the key; CDK's own `Archive` with a key does exactly that.
 */
export class EncryptionKey extends kms.Key {
  constructor(scope: Construct, id: string, options: Options) {
    super(scope, id, {
      alias: resourceName(options),
      description: `Everything that holds or describes patients' data in ${resourceName(options)}`,
      enableKeyRotation: true,
      removalPolicy: removalPolicy(options),
    });
    this.admitEventBridge(options);
    this.admitAlarms(options);
    this.admitLogs(options);
    if (Object.keys(options.datastores).length > 0) this.admitLogDelivery();
  }

  /**
   * Lets a role use the key, but only in requests that a service makes for it (`kms:ViaService`): a role that may read
   * a queue cannot decrypt what lies in a bucket.
   */
  grantThrough(grantee: iam.IGrantable, service: KeyedService, ...actions: string[]): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions,
        resources: [this.keyArn],
        conditions: { StringEquals: { 'kms:ViaService': viaServices(service, Stack.of(this).region) } },
      }),
    );
  }

  /**
   * Lets a role use the key for the resources that an encryption context names. It is for services that call KMS as the
   * role itself: no such request is made through a service, so that `kms:ViaService` would refuse it.
   */
  grantInContext(grantee: iam.IGrantable, name: string, values: string | string[], ...actions: string[]): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions,
        resources: [this.keyArn],
        conditions: { StringEquals: { [`kms:EncryptionContext:${name}`]: values } },
      }),
    );
  }

  private admitEventBridge(options: Options): void {
    const stack = Stack.of(this);
    const eventBridge = new iam.ServicePrincipal('events.amazonaws.com');
    const busName = resourceName(options);
    const busArn = stack.formatArn({ service: 'events', resource: 'event-bus', resourceName: busName });
    // A rule of the account's default bus has no bus in its ARN.
    const ruleArns = [`${busName}/*`, `${resourceName(options)}-*`].map((rules) =>
      stack.formatArn({ service: 'events', resource: 'rule', resourceName: rules }),
    );

    // EventBridge user guide, "Encrypting event buses with AWS KMS keys": DescribeKey carries no encryption context,
    // and tells nothing but the key's metadata.
    this.admit('EventBridgeValidatesKey', eventBridge, ['kms:DescribeKey'], {});

    // Same page, and "Encrypting EventBridge archives with AWS KMS keys": bus and archive use the same context, and
    // only the archive re-encrypts.
    this.admit(
      'EventBridgeEncryptsBusAndArchive',
      eventBridge,
      ['kms:GenerateDataKey', 'kms:Decrypt', 'kms:ReEncrypt*'],
      {
        StringEquals: { 'kms:EncryptionContext:aws:events:event-bus:arn': busArn },
      },
    );

    // The bus writes its undeliverable events, and its rules their matches, to queues under this key (SQS developer
    // guide, "Configure KMS permissions for AWS services").
    this.admit('EventBridgeSendsToQueues', eventBridge, ['kms:GenerateDataKey', 'kms:Decrypt'], {
      StringEquals: { 'aws:SourceAccount': stack.account },
      ArnLike: { 'aws:SourceArn': [busArn, ...ruleArns] },
    });
  }

  /** SNS developer guide, "Enable compatibility between event sources from AWS services and encrypted topics". */
  private admitAlarms(options: Options): void {
    const alarms = new iam.ServicePrincipal('cloudwatch.amazonaws.com');
    this.admit('AlarmsPublishToTopic', alarms, ['kms:GenerateDataKey*', 'kms:Decrypt'], {
      StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
      ArnLike: { 'aws:SourceArn': alarmArns(this, options) },
    });
  }

  /** CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS KMS", for the actions and the context. */
  private admitLogs(options: Options): void {
    const stack = Stack.of(this);
    const logs = new iam.ServicePrincipal(`logs.${stack.region}.amazonaws.com`);
    const logGroupArns = ['/aws/lambda', '/aws/vendedlogs/pipes', '/aws/vendedlogs/states'].map((prefix) =>
      stack.formatArn({ service: 'logs', resource: `log-group:${prefix}/${resourceName(options)}-*` }),
    );
    const actions = ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'];
    this.admit('LogsEncryptLogGroups', logs, actions, {
      ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logGroupArns },
    });
  }

  /**
   * Step Functions developer guide, "Data at rest encryption in Step Functions", step 3: what the state machines log is
   * encrypted on its way to the log group. The guide names no condition; the context is the one under which the state
   * machine's role encrypts, and KMS decrypts under the same alone.
   */
  private admitLogDelivery(): void {
    const delivery = new iam.ServicePrincipal('delivery.logs.amazonaws.com');
    this.admit('LogDeliveryDecryptsLogs', delivery, ['kms:Decrypt'], {
      StringEquals: { 'kms:EncryptionContext:SourceArn': logDeliveryContext(this) },
    });
  }

  private admit(
    sid: string,
    principal: iam.ServicePrincipal,
    actions: string[],
    conditions: Record<string, Record<string, unknown>>,
  ): void {
    // In a key policy `*` means this key (KMS developer guide, "Key policies in AWS KMS").
    const statement = new iam.PolicyStatement({ sid, principals: [principal], actions, resources: ['*'], conditions });
    this.addToResourcePolicy(statement);
  }
}

/** The ARNs of all alarms of the deployment. */
export function alarmArns(scope: Construct, options: Options): string {
  return Stack.of(scope).formatArn({
    service: 'cloudwatch',
    resource: `alarm:${resourceName(options)}-*`,
  });
}

/** The `SourceArn` of log delivery's encryption context. Its `*` is no pattern but a character of the value. */
export function logDeliveryContext(scope: Construct): string {
  return Stack.of(scope).formatArn({ service: 'logs', resource: '*', arnFormat: ArnFormat.COLON_RESOURCE_NAME });
}

/** A table's stream is read at an endpoint of its own, `streams.dynamodb`. */
function viaServices(service: KeyedService, region: string): string[] {
  const hosts = service === 'dynamodb' ? ['dynamodb', 'streams.dynamodb'] : [service];
  return hosts.map((host) => `${host}.${region}.amazonaws.com`);
}
