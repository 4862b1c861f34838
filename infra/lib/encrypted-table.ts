import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';
import { removalPolicy, resourceName, type Deployment } from './deployment.ts';

export interface EncryptedTableProps extends Deployment {
  /** The table's name without the deployment's prefix. */
  readonly name: string;
  /** Of the partition key, a string. */
  readonly partitionKey: string;
  /** Of the sort key, a string. */
  readonly sortKey: string;
  readonly stream?: dynamodb.StreamViewType;
  readonly timeToLiveAttribute?: string;
}

/**
 * A table under the deployment's key, with point-in-time recovery, billed by request. It is a `Table`, because cdk-nag's
 * DynamoDB rules do not see a `TableV2`.
 */
export class EncryptedTable extends dynamodb.Table {
  private readonly deployment: Deployment;

  constructor(scope: Construct, id: string, props: EncryptedTableProps) {
    super(scope, id, {
      tableName: resourceName(props.options, props.name),
      partitionKey: { name: props.partitionKey, type: dynamodb.AttributeType.STRING },
      sortKey: { name: props.sortKey, type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      stream: props.stream,
      timeToLiveAttribute: props.timeToLiveAttribute,
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: props.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: props.options.removalPolicy === 'retain',
      removalPolicy: removalPolicy(props.options),
    });
    this.deployment = props;
    acknowledge(this, {
      'HIPAA.Security-DynamoDBInBackupPlan':
        'point-in-time recovery restores any second of the last 35 days; keeping copies for longer is a rule of the ' +
        'account, by an AWS Backup plan that selects tables by tag, and not of this stack',
    });
  }

  /** Actions on the table, not on an index. */
  grantActions(grantee: iam.IGrantable, ...actions: string[]): void {
    iam.Grant.addToPrincipal({ grantee, actions, resourceArns: [this.tableArn] });
    this.grantDecrypt(grantee);
  }

  /**
   * What reading needs of the key, and writing too: DynamoDB has the caller's leave to unwrap the table's own key, and
   * encrypts with that (DynamoDB developer guide, "DynamoDB encryption at rest: How it works").
   */
  grantDecrypt(grantee: iam.IGrantable): void {
    this.deployment.key.grantThrough(grantee, 'dynamodb', 'kms:Decrypt', 'kms:DescribeKey');
  }
}
