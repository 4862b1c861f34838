import { Duration } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Deployment } from './deployment.ts';
import { EncryptedBucket } from './encrypted-bucket.ts';
import { lakeTable } from './lake-options.ts';

/** What the writer writes, until the compactor has it elsewhere. */
const rawPrefix = `raw/${lakeTable}/`;
/** All changes. */
const compactPrefix = `compact/${lakeTable}/`;
/** The current state. */
const latestPrefix = `latest/${lakeTable}/`;
/** Which files replaced which. */
const commitsPrefix = 'commits/';
/** How far backfills are. */
const backfillsPrefix = 'backfills/';

/** A week in which a file that was deleted by mistake can be fetched back. Every raw row is paid for as long a second time. */
const versionsRetention = Duration.days(7);

/** Files of rows, and what tells which of them count. */
export class LakeBucket extends Construct {
  readonly bucket: EncryptedBucket;

  constructor(scope: Construct, id: string, deployment: Deployment) {
    super(scope, id);
    const { retentionDays, infrequentAccessAfterDays } = deployment.options.lake;
    const lifecycleRules: s3.LifecycleRule[] = [
      // Whoever resumes a backfill after a month begins it again. That of an export writes the same objects; that of a scan is
      // another scan, which adds a snapshot of a later time.
      { id: 'forget-backfills', prefix: backfillsPrefix, expiration: Duration.days(30) },
    ];
    if (retentionDays !== undefined || infrequentAccessAfterDays !== undefined) {
      const storageClass = s3.StorageClass.INFREQUENT_ACCESS;
      // By the age of the file, and a row that is merged begins anew: retention to the day takes a partition with a time.
      lifecycleRules.push({
        id: 'age-history',
        prefix: compactPrefix,
        ...(retentionDays !== undefined && { expiration: Duration.days(retentionDays) }),
        ...(infrequentAccessAfterDays !== undefined && {
          transitions: [{ storageClass, transitionAfter: Duration.days(infrequentAccessAfterDays) }],
        }),
      });
    }
    this.bucket = new EncryptedBucket(this, 'Bucket', { ...deployment, retention: versionsRetention, lifecycleRules });
  }

  /** Where Glue finds the files of a kind. */
  location(kind: 'raw' | 'compact' | 'latest'): string {
    return this.bucket.s3UrlForObject({ raw: rawPrefix, compact: compactPrefix, latest: latestPrefix }[kind]);
  }

  grantWrite(grantee: iam.IRole): void {
    this.bucket.grantPutUnder(rawPrefix, grantee);
  }

  /** Replaces files by larger ones of the same rows. Raw files are read and deleted, and never written. */
  grantCompact(grantee: iam.IRole): void {
    const written = [compactPrefix, latestPrefix, commitsPrefix];
    this.bucket.grantList(grantee);
    for (const prefix of [rawPrefix, ...written]) {
      this.bucket.grantGetUnder(prefix, grantee);
      this.bucket.grantDeleteUnder(prefix, grantee);
    }
    for (const prefix of written) this.bucket.grantPutUnder(prefix, grantee);
  }
}
