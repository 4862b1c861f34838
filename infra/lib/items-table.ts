import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { EncryptedTable } from './encrypted-table.ts';

/** The table whose changes are carried. */
export class ItemsTable extends Construct {
  readonly tableName: string;
  readonly streamArn: string;
  private readonly table: EncryptedTable;

  constructor(scope: Construct, id: string, deployment: Deployment) {
    super(scope, id);
    this.table = new EncryptedTable(this, 'Table', {
      ...deployment,
      name: 'items',
      partitionKey: 'id',
      sortKey: 'sk',
      stream: dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'ttl',
    });
    this.tableName = this.table.tableName;
    this.streamArn = this.table.tableStreamArn!;
  }

  /** Reads a collection of items: Query alone. */
  grantQuery(grantee: iam.IGrantable): void {
    this.table.grantActions(grantee, 'dynamodb:Query');
  }

  /** Reads the stream at a shard and sequence number that are known already. */
  grantReadStream(grantee: iam.IGrantable): void {
    const actions = ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator'];
    iam.Grant.addToPrincipal({ grantee, actions, resourceArns: [this.streamArn] });
    this.table.grantDecrypt(grantee);
  }

  /** Follows the stream as a pipe's source (EventBridge user guide, "Event source permissions for EventBridge Pipes"). */
  grantFollowStream(grantee: iam.IGrantable): void {
    this.grantReadStream(grantee);
    iam.Grant.addToPrincipal({ grantee, actions: ['dynamodb:ListStreams'], resourceArns: [this.streamArn] });
  }
}
