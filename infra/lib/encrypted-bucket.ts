import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge, wildcardFinding } from './acknowledgements.ts';
import { removalPolicy, type Deployment } from './deployment.ts';

export interface EncryptedBucketProps extends Deployment {
  /** How long an object is kept, and again how long a deleted or overwritten version can be fetched back. */
  readonly retention: Duration;
  /** What becomes of objects, where they are not to be deleted after the retention. */
  readonly lifecycleRules?: readonly s3.LifecycleRule[];
}

/**
 * A private bucket under the deployment's key. CloudFormation names it: bucket names are shared by all accounts, and a
 * fixed one would stop a new deployment for as long as a retained bucket still carries it.
 */
export class EncryptedBucket extends s3.Bucket {
  private readonly deployment: Deployment;

  constructor(scope: Construct, id: string, props: EncryptedBucketProps) {
    const { retention, lifecycleRules } = props;
    super(scope, id, {
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: props.key,
      bucketKeyEnabled: true,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      versioned: true,
      lifecycleRules: [
        {
          id: 'expire',
          expiration: lifecycleRules === undefined ? retention : undefined,
          noncurrentVersionExpiration: retention,
          abortIncompleteMultipartUploadAfter: Duration.days(1),
        },
        ...(lifecycleRules ?? []),
        { id: 'remove-delete-markers', expiredObjectDeleteMarker: true },
      ],
      removalPolicy: removalPolicy(props.options),
    });
    this.deployment = props;

    const noAccessLogs =
      'server access logs are delivered on a best-effort basis, and only to a bucket under S3-managed keys (S3 user ' +
      'guide, "Logging requests with server access logging"); what audits reads of objects is CloudTrail data events, ' +
      'which are switched on for the account and not in this stack';
    const noReplication =
      'S3 keeps every object in several availability zones; a copy in a second region is a decision about where ' +
      'the data of patients may lie, and the table, the bus and the queues are in one region as well';
    acknowledge(this, {
      'AwsSolutions-S1': noAccessLogs,
      'HIPAA.Security-S3BucketLoggingEnabled': noAccessLogs,
      'HIPAA.Security-S3BucketReplicationEnabled': noReplication,
    });
  }

  grantPutUnder(prefix: string, grantee: iam.IRole): void {
    this.grantObjects(prefix, grantee, 's3:PutObject');
    this.deployment.key.grantThrough(grantee, 's3', 'kms:GenerateDataKey');
  }

  grantGetUnder(prefix: string, grantee: iam.IRole): void {
    this.grantObjects(prefix, grantee, 's3:GetObject');
    this.deployment.key.grantThrough(grantee, 's3', 'kms:Decrypt');
  }

  /** Under versioning a delete only adds a marker: the version stays for the bucket's retention. */
  grantDeleteUnder(prefix: string, grantee: iam.IRole): void {
    this.grantObjects(prefix, grantee, 's3:DeleteObject');
  }

  /**
   * For who lists, and for who has to tell an object that is gone from one that is forbidden: S3 answers 404 for a key that is
   * not there only to who may list the bucket, and 403 to others (S3 API reference, "GetObject"). There is no condition on
   * `s3:prefix`, because a request for one object has no prefix, and nothing says that S3 would take its key for one. What is
   * to be had by it are names: digests, ids, and the folders of partitions.
   */
  grantList(grantee: iam.IGrantable): void {
    iam.Grant.addToPrincipal({ grantee, actions: ['s3:ListBucket'], resourceArns: [this.bucketArn] });
  }

  private grantObjects(prefix: string, grantee: iam.IRole, action: string): void {
    const objects = this.arnForObjects(`${prefix}*`);
    acknowledge(grantee, {
      [wildcardFinding(this, objects)]:
        `object keys under ${prefix} are made from ids at run time, so a policy can name no more than the prefix`,
    });
    iam.Grant.addToPrincipal({ grantee, actions: [action], resourceArns: [objects] });
  }
}
