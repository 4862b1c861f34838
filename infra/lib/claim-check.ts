import { Duration } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { EncryptedBucket } from './encrypted-bucket.ts';

/** Changes that a consumer fetches by the event's `dataRef`. */
const changesPrefix = 'changes/';

/** Rejected records on their way from the enricher to the router, too large for the enricher's answer. */
const rejectsPrefix = 'rejects/';

/** Resources of an export that a consumer fetches by the event's `dataRef`. */
const resourcesPrefix = 'fhir/';

/** The bucket that carries what is too large for a hop, while the hop carries a reference. */
export class ClaimCheck extends Construct {
  readonly bucket: EncryptedBucket;

  constructor(scope: Construct, id: string, deployment: Deployment) {
    super(scope, id);
    this.bucket = new EncryptedBucket(this, 'Bucket', {
      ...deployment,
      retention: Duration.days(deployment.options.claimCheckRetentionDays),
    });
  }

  grantDepositChange(grantee: iam.IRole): void {
    this.bucket.grantPutUnder(changesPrefix, grantee);
  }

  grantDepositResource(grantee: iam.IRole): void {
    this.bucket.grantPutUnder(resourcesPrefix, grantee);
  }

  grantDepositReject(grantee: iam.IRole): void {
    this.bucket.grantPutUnder(rejectsPrefix, grantee);
  }

  grantCollectReject(grantee: iam.IRole): void {
    this.bucket.grantGetUnder(rejectsPrefix, grantee);
  }
}
