import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';
import type { Datastore } from './datastore.ts';
import { resourceName, type Deployment } from './deployment.ts';
import type { ExportBucket } from './export-bucket.ts';

export interface ExportDataRoleProps extends Deployment {
  readonly datastores: readonly Datastore[];
  readonly exportBucket: ExportBucket;
}

/** The role under which HealthLake writes what it exports. */
export class ExportDataRole extends Construct {
  readonly roleArn: string;

  constructor(scope: Construct, id: string, props: ExportDataRoleProps) {
    super(scope, id);
    // HealthLake developer guide, "Setting up permissions for export jobs": for these datastores of this account alone.
    const role = new iam.Role(this, 'Role', {
      description: `What HealthLake may do for the exports of ${resourceName(props.options)}`,
      assumedBy: new iam.ServicePrincipal('healthlake.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
          ArnEquals: { 'aws:SourceArn': props.datastores.map(({ datastoreArn }) => datastoreArn) },
        },
      }),
    });
    acknowledge(role, {
      'HIPAA.Security-IAMNoInlinePolicy':
        'the policy is written for this role alone from what the constructs grant, and must come and go with it',
    });
    props.exportBucket.grantExport(role);
    this.roleArn = role.roleArn;
  }

  /** Hands the role to HealthLake, and to no other service. */
  grantPass(grantee: iam.IGrantable): void {
    grantee.grantPrincipal.addToPrincipalPolicy(
      new iam.PolicyStatement({
        actions: ['iam:PassRole'],
        resources: [this.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'healthlake.amazonaws.com' } },
      }),
    );
  }
}
