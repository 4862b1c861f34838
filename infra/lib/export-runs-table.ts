import type * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { EncryptedTable } from './encrypted-table.ts';

/**
 * Per datastore one item with its cursor and lease, and one for each run:
 *
 * | `pk` | `sk` |
 * | --- | --- |
 * | `DATASTORE#<datastore id>` | `STATE` |
 * | `DATASTORE#<datastore id>` | `RUN#<start>#<run id>` |
 */
export class ExportRunsTable extends Construct {
  readonly tableName: string;
  private readonly table: EncryptedTable;

  constructor(scope: Construct, id: string, deployment: Deployment) {
    super(scope, id);
    this.table = new EncryptedTable(this, 'Table', {
      ...deployment,
      name: 'export-runs',
      partitionKey: 'pk',
      sortKey: 'sk',
    });
    this.tableName = this.table.tableName;
  }

  /** Renews the lease of one run and writes down how far it is: an item is read, and put in the place of what was read. */
  grantAdvance(grantee: iam.IGrantable): void {
    this.table.grantActions(grantee, 'dynamodb:GetItem', 'dynamodb:PutItem');
  }

  /**
   * Begins and closes runs, and looks at those before. A transaction needs what its parts need, here PutItem alone
   * (DynamoDB developer guide, "Using IAM with DynamoDB transactions").
   */
  grantDecide(grantee: iam.IGrantable): void {
    this.grantAdvance(grantee);
    this.table.grantActions(grantee, 'dynamodb:Query');
  }
}
