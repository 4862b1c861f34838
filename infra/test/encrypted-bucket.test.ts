import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports, datastores } from './exports.ts';
import { resource, resourcesOf, synthesize } from './synthesize.ts';

const { template } = awsExports;
const buckets = resourcesOf(template, 'AWS::S3::Bucket');

function expireRule(properties: Record<string, any>) {
  return properties.LifecycleConfiguration.Rules.find(({ Id }: { Id: string }) => Id === 'expire');
}

test('buckets are private, versioned and reachable over TLS alone', () => {
  for (const [logicalId, { Properties }] of Object.entries(buckets)) {
    assert.deepEqual(Properties.PublicAccessBlockConfiguration, {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    assert.deepEqual(Properties.VersioningConfiguration, { Status: 'Enabled' });
    const policies = Object.values(resourcesOf(template, 'AWS::S3::BucketPolicy'));
    const policy = policies.find(({ Properties: { Bucket } }) => Bucket.Ref === logicalId);
    assert.match(JSON.stringify(policy), /"aws:SecureTransport":"false"/);
  }
});

test('I1: claim checks, dead letters and exported files outlast the archive', () => {
  const archived: number = resource(template, 'AWS::Events::Archive').Properties.RetentionDays;
  assert.equal(Object.keys(buckets).length, 3);
  for (const { Properties } of Object.values(buckets)) {
    const rule = expireRule(Properties);
    assert.equal(rule.Status, 'Enabled');
    assert.ok(rule.ExpirationInDays > archived);
    assert.ok(rule.NoncurrentVersionExpiration.NoncurrentDays > archived);
  }
});

test('the lifecycles follow the options and leave no unfinished uploads', () => {
  const options = { claimCheckRetentionDays: 40, deadLetterRetentionDays: 365, exportRetentionDays: 8, datastores };
  const { template } = synthesize({ options });
  for (const [prefix, days] of [
    ['ClaimCheck', 40],
    ['DeadLetters', 365],
    ['ExportsFiles', 8],
  ] as const) {
    const rule = expireRule(resource(template, 'AWS::S3::Bucket', prefix).Properties);
    assert.equal(rule.ExpirationInDays, days);
    assert.deepEqual(rule.AbortIncompleteMultipartUpload, { DaysAfterInitiation: 1 });
  }
});
