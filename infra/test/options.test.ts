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
  const { logRetentionDays, lake, ...options } = loadOptions({});
  assert.equal(lake.retentionDays, undefined);
  assert.equal(logRetentionDays, 365);
  assert.deepEqual(options, {
    environment: 'dev',
    target: 'aws',
    removalPolicy: 'retain',
    archiveRetentionDays: 14,
    claimCheckRetentionDays: 30,
    deadLetterRetentionDays: 90,
    exportRetentionDays: 30,
    queueRetentionDays: 14,
    pipe: {
      batchSize: 100,
      batchingWindowSeconds: 1,
      maximumRetryAttempts: 50,
      maximumRecordAgeSeconds: 43_200,
      parallelizationFactor: 1,
      filterPatterns: [],
    },
    // HealthLake costs by the hour, so none is created unasked.
    datastores: {},
    codeMaps: {},
    putEventsRequestBytes: 262_144,
    buildFunctions: true,
  });
});

test('a datastore needs no option: the stack creates it and exports all of it every 15 minutes', () => {
  assert.deepEqual(load({ datastores: { clinic: {} } }).datastores, {
    clinic: {
      schedule: 'rate(15 minutes)',
      scheduleEnabled: true,
      scope: { kind: 'system' },
      resourceTypes: [],
      tags: [],
      overlapSeconds: 120,
      leaseSeconds: 900,
      rangeBytes: 64 * 1024 * 1024,
      publishConcurrency: 8,
      poll: { firstDelaySeconds: 10, longestDelaySeconds: 120, runningLimitSeconds: 21_600 },
      heartbeatSeconds: 600,
      exportTimeoutSeconds: 86_400,
    },
  });
});

const schedules = [
  'rate(1 minute)',
  'rate(15 minutes)',
  'rate(1 hour)',
  'rate(2 days)',
  'cron(0/15 * * * ? *)',
  'cron(0 18 ? * MON-FRI *)',
  'cron(0 8 1 * ? 2026-2028)',
  'cron(0 10 ? * 6#3 *)',
  'cron(30 0 L * ? *)',
];

for (const schedule of schedules) {
  test(`a datastore is exported at ${schedule}`, () => {
    assert.equal(load({ datastores: { clinic: { schedule } } }).datastores.clinic?.schedule, schedule);
  });
}

test('tests may have everything happen within seconds', () => {
  const quick = {
    schedule: 'rate(1 minute)',
    overlapSeconds: 0,
    leaseSeconds: 10,
    rangeBytes: 1_024,
    poll: { firstDelaySeconds: 1, longestDelaySeconds: 2, runningLimitSeconds: 5 },
    heartbeatSeconds: 5,
    exportTimeoutSeconds: 10,
  };
  assert.equal(load({ datastores: { clinic: quick } }).datastores.clinic?.heartbeatSeconds, 5);
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

function datastore(options: Record<string, unknown>): unknown {
  return { datastores: { clinic: options } };
}

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
  [{ exportRetentionDays: 3 }, /exportRetentionDays: .*>=4/],
  [{ datastores: { Clinic: {} } }, /datastores\.Clinic: expected as its name a lower-case letter/],
  [{ datastores: { [`c${'a'.repeat(20)}`]: {} } }, /datastores\.ca+: expected as its name/],
  [{ datastores: { 'site-1': {}, site1: {} } }, /datastores\.site1: expected another name: .* those of site-1/],
  [datastore({ datastoreId: '0123456789ABCDEF0123456789ABCDEF' }), /datastoreId: expected 32 hexadecimal digits/],
  [
    { datastores: { a: { datastoreId: 'f'.repeat(32) }, b: { datastoreId: 'f'.repeat(32) } } },
    /datastores\.b\.datastoreId: expected another datastore than that of a: a datastore has one lease/,
  ],
  [datastore({ schedule: 'at(2026-11-22T07:14:00)' }), /schedule: expected rate\(15 minutes\)/],
  [datastore({ schedule: 'rate(0 minutes)' }), /schedule: expected rate/],
  [datastore({ schedule: 'rate(30 seconds)' }), /schedule: expected rate/],
  [datastore({ schedule: 'cron(0/15 * * * *)' }), /schedule: expected .* with six fields/],
  [datastore({ schedule: 'cron(0 3 * * * *)' }), /schedule: expected .* the third or the fifth is \?/],
  [datastore({ scope: { kind: 'practitioner' } }), /scope\.kind: .*'system' \| 'patient' \| 'group'/],
  [datastore({ scope: { kind: 'group' } }), /scope\.groupId: .*expected string/],
  [datastore({ scope: { kind: 'group', groupId: 'a/b' } }), /scope\.groupId: expected an id/],
  [
    datastore({ scope: { kind: 'patient', groupId: 'a' } }),
    /scope\.groupId: unknown; allowed are kind, for a group groupId/,
  ],
  [datastore({ resourceTypes: ['patient'] }), /resourceTypes\.0: expected a FHIR resource type/],
  [datastore({ tags: ['research'] }), /tags\.0: expected system\|code/],
  [datastore({ tags: ['a|b,c|d'] }), /tags\.0: expected system\|code/],
  [datastore({ overlapSeconds: 86_401 }), /overlapSeconds: .*<=86400/],
  [datastore({ leaseSeconds: 9 }), /leaseSeconds: .*>=10/],
  [datastore({ rangeBytes: 1_023 }), /rangeBytes: .*>=1024/],
  [datastore({ rangeBytes: 268_435_457 }), /rangeBytes: .*<=268435456/],
  [datastore({ publishConcurrency: 101 }), /publishConcurrency: .*<=100/],
  [datastore({ poll: { longestDelaySeconds: 901 } }), /poll\.longestDelaySeconds: .*<=900/],
  [datastore({ poll: { delay: 1 } }), /poll\.delay: unknown; allowed are firstDelaySeconds, longestDelaySeconds, /],
  [datastore({ poll: { firstDelaySeconds: 121 } }), /poll\.firstDelaySeconds: expected at most poll\.longestDelay/],
  [datastore({ heartbeatSeconds: 240 }), /heartbeatSeconds: expected more than twice poll\.longestDelaySeconds: each/],
  [datastore({ leaseSeconds: 120 }), /leaseSeconds: expected more than poll\.longestDelaySeconds: a poll extends/],
  [
    datastore({ exportTimeoutSeconds: 600, poll: { runningLimitSeconds: 60 } }),
    /exportTimeoutSeconds: expected more than heartbeatSeconds/,
  ],
  [
    datastore({ exportTimeoutSeconds: 21_600 }),
    /exportTimeoutSeconds: expected more than poll\.runningLimitSeconds: the poller/,
  ],
  [datastore({ types: [] }), /datastores\.clinic\.types: unknown; allowed are datastoreId, schedule, /],
  [{ codeMaps: { gender: { M: 1 } } }, /codeMaps\.gender\.M: .*expected string/],
  [{ codeMaps: { a: { b: 'c'.repeat(4096) } } }, /codeMaps: expected at most 3072 bytes/],
  [{ putEventsRequestBytes: 65_535 }, /putEventsRequestBytes: .*>=65536/],
  [{ bucketName: 'mine' }, /bucketName: unknown; allowed are alarmEmail, removalPolicy, /],
  [[], /options: .*expected object/],
];

for (const [options, message] of wrong) {
  test(`is refused: ${JSON.stringify(options).slice(0, 100)}`, () => {
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
