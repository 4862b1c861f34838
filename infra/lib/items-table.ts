import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';
import { removalPolicy, resourceName, type Deployment } from './deployment.ts';

/** The table whose changes are carried. It is a `Table`, because cdk-nag's DynamoDB rules do not see a `TableV2`. */
export class ItemsTable extends Construct {
  readonly tableName: string;
  readonly streamArn: string;
  private readonly table: dynamodb.Table;
  private readonly deployment: Deployment;

  constructor(scope: Construct, id: string, deployment: Deployment) {
    super(scope, id);
    this.deployment = deployment;
    this.table = new dynamodb.Table(this, 'Table', {
      tableName: resourceName(deployment.options, 'items'),
      partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      stream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'ttl',
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: deployment.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: deployment.options.removalPolicy === 'retain',
      removalPolicy: removalPolicy(deployment.options),
    });
    this.tableName = this.table.tableName;
    this.streamArn = this.table.tableStreamArn!;
    acknowledge(this.table, {
      'HIPAA.Security-DynamoDBInBackupPlan':
        'point-in-time recovery restores any second of the last 35 days; keeping copies for longer is a rule of the ' +
        'account, by an AWS Backup plan that selects tables by tag, and not of this stack',
    });
  }

  /** Reads a collection of items: Query alone, on the table and no index. */
  grantQuery(grantee: iam.IGrantable): void {
    iam.Grant.addToPrincipal({ grantee, actions: ['dynamodb:Query'], resourceArns: [this.table.tableArn] });
    this.grantDecrypt(grantee);
  }

  /** Reads the stream at a shard and sequence number that are known already. */
  grantReadStream(grantee: iam.IGrantable): void {
    const actions = ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'];
    iam.Grant.addToPrincipal({ grantee, actions, resourceArns: [this.streamArn] });
    this.grantDecrypt(grantee);
  }

  /** Follows the stream as a pipe's source (EventBridge user guide, "Event source permissions for EventBridge Pipes"). */
  grantFollowStream(grantee: iam.IGrantable): void {
    this.grantReadStream(grantee);
    iam.Grant.addToPrincipal({ grantee, actions: ['dynamodb:ListStreams'], resourceArns: [this.streamArn] });
  }

  private grantDecrypt(grantee: iam.IGrantable): void {
    this.deployment.key.grantThrough(grantee, 'dynamodb', 'kms:Decrypt', 'kms:DescribeKey');
  }
}
