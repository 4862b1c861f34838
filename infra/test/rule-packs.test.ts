import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import type { App } from 'aws-cdk-lib';
import { rulePacks } from '../lib/rule-packs.ts';
import { awsExports, localExports } from './exports.ts';
import { aws, local, synthesize } from './synthesize.ts';

function findings(app: App): string[] {
  return rulePacks(app).flatMap((pack) =>
    pack
      .validateScope(app)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
      ),
  );
}

for (const [name, { app }] of Object.entries({ aws, local, awsExports, localExports })) {
  test(`AWS Solutions and HIPAA Security have no finding that is not acknowledged (${name})`, () => {
    assert.deepEqual(findings(app), []);
  });
}

test('an acknowledgement reaches no further than its construct', () => {
  const { app, stack } = synthesize();
  new Bucket(stack, 'Unguarded');
  const found = findings(app);
  assert.ok(found.includes('AwsSolutions-S1 at Tributary-dev/Unguarded/Resource'));
  assert.ok(found.includes('HIPAA.Security-S3DefaultEncryptionKMS at Tributary-dev/Unguarded/Resource'));
});
