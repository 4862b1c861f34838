import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledge, wildcardFinding } from './acknowledgements.ts';
import type { Deployment } from './deployment.ts';
import { EncryptedBucket } from './encrypted-bucket.ts';

/** What HealthLake writes: one folder per job. */
const exportsPrefix = 'exports/';

/** The ranges of the files of one run: `manifests/<datastore id>/<run id>.json`. */
const manifestsPrefix = 'manifests/';

/** What became of each range: `results/<datastore id>/<run id>/<index>.json`. */
const resultsPrefix = 'results/';

/** The bucket in which an export lies while it is published. */
export class ExportBucket extends Construct {
  readonly bucket: EncryptedBucket;
  private readonly deployment: Deployment;

  constructor(scope: Construct, id: string, deployment: Deployment) {
    super(scope, id);
    this.deployment = deployment;
    this.bucket = new EncryptedBucket(this, 'Bucket', {
      ...deployment,
      retention: Duration.days(deployment.options.exportRetentionDays),
    });
  }

  /** Where Glue finds what HealthLake exported. */
  get exportsLocation(): string {
    return this.bucket.s3UrlForObject(exportsPrefix);
  }

  /**
   * What HealthLake asks of the role under which it writes (HealthLake developer guide, "Setting up permissions for
   * export jobs"). It looks at the bucket before it writes, and calls KMS as that role, so that no condition on the
   * prefix or on a service would be met.
   */
  grantExport(role: iam.Role): void {
    const { bucketArn } = this.bucket;
    const looks = ['s3:ListBucket', 's3:GetBucketPublicAccessBlock', 's3:GetEncryptionConfiguration'];
    iam.Grant.addToPrincipal({ grantee: role, actions: looks, resourceArns: [bucketArn] });
    const exported = this.bucket.arnForObjects(`${exportsPrefix}*`);
    iam.Grant.addToPrincipal({ grantee: role, actions: ['s3:PutObject'], resourceArns: [exported] });
    const uses = ['kms:DescribeKey', 'kms:GenerateDataKey*'];
    iam.Grant.addToPrincipal({ grantee: role, actions: uses, resourceArns: [this.deployment.key.keyArn] });
    acknowledge(role, {
      [wildcardFinding(this, exported)]:
        'HealthLake names the files itself, by job and resource type, so a policy can name no more than the prefix',
      'AwsSolutions-IAM5[Action::kms:GenerateDataKey*]':
        'the HealthLake developer guide asks for all forms of GenerateDataKey and does not say which of them it uses',
    });
  }

  /** Looks whether the files of an export are there. */
  grantInspect(grantee: iam.IRole): void {
    this.bucket.grantGetUnder(exportsPrefix, grantee);
    this.bucket.grantList(grantee);
  }

  grantWriteManifest(grantee: iam.IRole): void {
    this.bucket.grantPutUnder(manifestsPrefix, grantee);
  }

  grantReadManifest(grantee: iam.IRole): void {
    this.bucket.grantGetUnder(manifestsPrefix, grantee);
  }

  /** Reads the ranges of an export, and looks up and writes what became of each. */
  grantPublish(grantee: iam.IRole): void {
    this.bucket.grantGetUnder(exportsPrefix, grantee);
    this.bucket.grantGetUnder(resultsPrefix, grantee);
    this.bucket.grantPutUnder(resultsPrefix, grantee);
    this.bucket.grantList(grantee);
  }

  /** Adds up what became of the ranges. */
  grantReadResults(grantee: iam.IRole): void {
    this.bucket.grantGetUnder(resultsPrefix, grantee);
    this.bucket.grantList(grantee);
  }
}
