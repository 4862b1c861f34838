import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadOptions } from '../lib/options.ts';

function load(options: unknown, source: object = {}) {
  return loadOptions({ options: JSON.stringify(options), ...source });
}

test('without any option the deployment is safe', () => {
  const { logRetentionDays, ...options } = loadOptions({});
  assert.equal(logRetentionDays, 365);
  assert.deepEqual(options, {
    environment: 'dev',
    target: 'aws',
    removalPolicy: 'retain',
    archiveRetentionDays: 14,
    claimCheckRetentionDays: 30,
    deadLetterRetentionDays: 90,
    queueRetentionDays: 14,
    pipe: {
      batchSize: 100,
      batchingWindowSeconds: 1,
      maximumRetryAttempts: 50,
      maximumRecordAgeSeconds: 43_200,
      parallelizationFactor: 1,
      filterPatterns: [],
    },
    codeMaps: {},
    putEventsRequestBytes: 262_144,
    buildFunctions: true,
  });
});

test('the removal policy of the local target is destroy, and can be set on both', () => {
  assert.equal(load({}, { target: 'local' }).removalPolicy, 'destroy');
  assert.equal(load({ removalPolicy: 'retain' }, { target: 'local' }).removalPolicy, 'retain');
  assert.equal(load({ removalPolicy: 'destroy' }).removalPolicy, 'destroy');
});

test("the context is merged over the environment's file", (context) => {
  const environmentsDirectory = mkdtempSync(join(tmpdir(), 'tributary-environments-'));
  context.after(() => rmSync(environmentsDirectory, { recursive: true }));
  const file = { archiveRetentionDays: 7, pipe: { batchSize: 10, filterPatterns: [{ a: [1] }, { b: [2] }] } };
  writeFileSync(join(environmentsDirectory, 'prod.json'), JSON.stringify(file));

  const override = { pipe: { maximumRetryAttempts: 2, filterPatterns: [{ c: [3] }] } };
  const { archiveRetentionDays, pipe } = load(override, { environment: 'prod', environmentsDirectory });
  assert.equal(archiveRetentionDays, 7);
  assert.equal(pipe.batchSize, 10);
  assert.equal(pipe.maximumRetryAttempts, 2);
  assert.deepEqual(pipe.filterPatterns, [{ c: [3] }]);
});

const wrong: [options: unknown, message: RegExp][] = [
  [{ alarmEmail: 'nobody' }, /alarmEmail: Invalid email/],
  [{ removalPolicy: 'snapshot' }, /removalPolicy: .*"retain"\|"destroy"/],
  [{ archiveRetentionDays: 0 }, /archiveRetentionDays: .*>=1/],
  [
    { archiveRetentionDays: 20 },
    /claimCheckRetentionDays: expected at least archiveRetentionDays \+ queueRetentionDays/,
  ],
  [{ claimCheckRetentionDays: 27 }, /claimCheckRetentionDays: expected at least/],
  [{ deadLetterRetentionDays: 14 }, /deadLetterRetentionDays: expected more than archiveRetentionDays/],
  [{ archiveRetentionDays: 1, deadLetterRetentionDays: 14 }, /deadLetterRetentionDays: .* and than queueRetentionDays/],
  [{ queueRetentionDays: 15 }, /queueRetentionDays: .*<=14/],
  [{ logRetentionDays: 42 }, /logRetentionDays: expected one of 1, 3, 5, 7/],
  [{ pipe: { batchSize: 201 } }, /pipe\.batchSize: .*<=200/],
  [{ pipe: { batchSize: 1.5 } }, /pipe\.batchSize: .*int/],
  [{ pipe: { batchingWindowSeconds: 301 } }, /pipe\.batchingWindowSeconds: .*<=300/],
  [{ pipe: { maximumRetryAttempts: -1 } }, /pipe\.maximumRetryAttempts: .*>=0/],
  [{ pipe: { maximumRecordAgeSeconds: 43_201 } }, /pipe\.maximumRecordAgeSeconds: .*<=43200/],
  [{ pipe: { parallelizationFactor: 11 } }, /pipe\.parallelizationFactor: .*<=10/],
  [{ pipe: { filterPatterns: ['INSERT'] } }, /pipe\.filterPatterns\.0: .*expected record/],
  [{ pipe: { batchsize: 1 } }, /pipe\.batchsize: unknown; allowed are batchSize, /],
  [{ codeMaps: { gender: { M: 1 } } }, /codeMaps\.gender\.M: .*expected string/],
  [{ codeMaps: { a: { b: 'c'.repeat(4096) } } }, /codeMaps: expected at most 3072 bytes/],
  [{ putEventsRequestBytes: 65_535 }, /putEventsRequestBytes: .*>=65536/],
  [{ bucketName: 'mine' }, /bucketName: unknown; allowed are alarmEmail, removalPolicy, /],
  [[], /options: .*expected object/],
];

for (const [options, message] of wrong) {
  test(`is refused: ${JSON.stringify(options).slice(0, 80)}`, () => {
    assert.throws(() => load(options), { name: 'DeployerError', message });
  });
}

test('environment, target and text that is not JSON are refused', () => {
  assert.throws(() => load({}, { environment: 'Prod' }), { message: /environment: expected a lower-case letter/ });
  assert.throws(() => load({}, { target: 'azure' }), { message: /target: .*"aws"\|"local"/ });
  assert.throws(() => loadOptions({ options: '{' }), { message: /context "options": not JSON/ });
});

test('one message names everything that is wrong', () => {
  const options = { archiveRetentionDays: 90, bucketName: 'mine', pipe: { batchSize: 0 } };
  assert.throws(
    () => load(options, { target: 'azure' }),
    (error: Error) => {
      for (const name of [
        'target',
        'bucketName',
        'pipe.batchSize',
        'claimCheckRetentionDays',
        'deadLetterRetentionDays',
      ]) {
        assert.match(error.message, new RegExp(`^  ${name.replace('.', '\\.')}: `, 'm'));
      }
      return true;
    },
  );
});
