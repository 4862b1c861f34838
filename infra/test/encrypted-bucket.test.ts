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
  for (const prefix of ['ClaimCheck', 'DeadLetters', 'ExportsFiles']) {
    const { Properties } = resource(template, 'AWS::S3::Bucket', prefix);
    const rule = expireRule(Properties);
    assert.equal(rule.Status, 'Enabled');
    assert.ok(rule.ExpirationInDays > archived);
    assert.ok(rule.NoncurrentVersionExpiration.NoncurrentDays > archived);
  }
});

test('I1: nothing in the lake is deleted by its age unless the options say so', () => {
  const rules = resource(template, 'AWS::S3::Bucket', 'LakeFiles').Properties.LifecycleConfiguration.Rules;
  const ages = rules.filter((rule: object) => 'ExpirationInDays' in rule || 'Transitions' in rule);
  assert.deepEqual(ages, [{ Id: 'forget-backfills', Prefix: 'backfills/', ExpirationInDays: 30, Status: 'Enabled' }]);
  const rule = expireRule(resource(template, 'AWS::S3::Bucket', 'LakeFiles').Properties);
  assert.deepEqual(rule.AbortIncompleteMultipartUpload, { DaysAfterInitiation: 1 });
  assert.deepEqual(rule.NoncurrentVersionExpiration, { NoncurrentDays: 7 });
});

test('the history in the lake ages as the options say, and the current state does not', () => {
  const lake = { retentionDays: 365, infrequentAccessAfterDays: 60 };
  const { template } = synthesize({ options: { lake } });
  const { Rules } = resource(template, 'AWS::S3::Bucket', 'LakeFiles').Properties.LifecycleConfiguration;
  assert.deepEqual(
    Rules.filter(({ Id }: { Id: string }) => Id === 'age-history'),
    [
      {
        Id: 'age-history',
        Prefix: 'compact/items/',
        ExpirationInDays: 365,
        Transitions: [{ StorageClass: 'STANDARD_IA', TransitionInDays: 60 }],
        Status: 'Enabled',
      },
    ],
  );
});

test('the lifecycles follow the options and leave no unfinished uploads', () => {
  const days = { claimCheckRetentionDays: 40, deadLetterRetentionDays: 365, exportRetentionDays: 8 };
  const options = { ...days, datastores, lake: { queryResultRetentionDays: 3 } };
  const { template } = synthesize({ options });
  for (const [prefix, days] of [
    ['ClaimCheck', 40],
    ['DeadLetters', 365],
    ['ExportsFiles', 8],
    ['LakeQueriesResults', 3],
  ] as const) {
    const rule = expireRule(resource(template, 'AWS::S3::Bucket', prefix).Properties);
    assert.equal(rule.ExpirationInDays, days);
    assert.deepEqual(rule.AbortIncompleteMultipartUpload, { DaysAfterInitiation: 1 });
  }
});
