import { createHash } from 'node:crypto';
import { Stack } from 'aws-cdk-lib';
import { CfnFHIRDatastore } from 'aws-cdk-lib/aws-healthlake';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { DatastoreOptions } from './datastore-options.ts';
import { removalPolicy, resourceName, type Deployment } from './deployment.ts';

export interface DatastoreProps extends Deployment {
  /** What the deployer calls it. */
  readonly name: string;
  readonly settings: DatastoreOptions;
}

/** A HealthLake datastore: the one that the options name, or one of the stack's own under the deployment's key. */
export class Datastore extends Construct {
  readonly name: string;
  readonly settings: DatastoreOptions;
  readonly datastoreId: string;
  readonly datastoreArn: string;
  private readonly deployment: Deployment;

  constructor(scope: Construct, id: string, props: DatastoreProps) {
    super(scope, id);
    this.name = props.name;
    this.settings = props.settings;
    this.deployment = props;
    this.datastoreId = props.settings.datastoreId ?? this.create();
    this.datastoreArn = Stack.of(this).formatArn({
      service: 'healthlake',
      resource: 'datastore',
      resourceName: `fhir/${this.datastoreId}`,
    });
  }

  /** Finds a run's job, starts it if there is none, and cancels one too many. */
  grantStartExport(grantee: iam.IGrantable): void {
    this.grantExport(grantee, ['ListFHIRExportJobs', 'StartFHIRExportJobWithPost', 'CancelFHIRExportJobWithDelete']);
  }

  /** Looks at a job, and cancels it. */
  grantFollowExport(grantee: iam.IGrantable): void {
    this.grantExport(grantee, ['DescribeFHIRExportJobWithGet', 'CancelFHIRExportJobWithDelete']);
  }

  /** Finds the jobs of a run, and cancels them. */
  grantCancelExport(grantee: iam.IGrantable): void {
    this.grantExport(grantee, ['ListFHIRExportJobs', 'CancelFHIRExportJobWithDelete']);
  }

  private grantExport(grantee: iam.IGrantable, actions: string[]): void {
    iam.Grant.addToPrincipal({
      grantee,
      actions: actions.map((action) => `healthlake:${action}`),
      resourceArns: [this.datastoreArn],
    });
    // HealthLake developer guide, "Encryption at rest": DescribeKey for all operations, Decrypt for those that read. A
    // datastore that is there already may be under a key of its own, whose policy then has to say the same.
    if (this.settings.datastoreId !== undefined) return;
    this.deployment.key.grantThrough(grantee, 'healthlake', 'kms:DescribeKey', 'kms:Decrypt');
  }

  private create(): string {
    const { options, key, target } = this.deployment;
    if (!target.createsDatastores) return createHash('sha256').update(this.name).digest('hex').slice(0, 32);
    const datastore = new CfnFHIRDatastore(this, 'Datastore', {
      datastoreName: resourceName(options, this.name),
      datastoreTypeVersion: 'R4',
      sseConfiguration: {
        kmsEncryptionConfig: { cmkType: 'CUSTOMER_MANAGED_KMS_KEY', kmsKeyId: key.keyArn },
      },
    });
    datastore.applyRemovalPolicy(removalPolicy(options));
    return datastore.attrDatastoreId;
  }
}
