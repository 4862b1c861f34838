import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const CHECK = fileURLToPath(new URL('../check.mjs', import.meta.url));

const patient = {
  resourceType: 'Patient',
  id: 'patient-1',
  active: true,
  name: [{ use: 'official', family: 'Example', given: ['Ada'] }],
  gender: 'female',
  birthDate: '1970-01-31',
  address: [{ use: 'home', line: ['1 Sample Street'], city: 'Anytown' }],
};
const relatedPerson = {
  resourceType: 'RelatedPerson',
  id: 'related-1',
  patient: { reference: 'Patient/patient-1' },
  gender: 'male',
};
const encounter = {
  resourceType: 'Encounter',
  id: 'encounter-1',
  status: 'finished',
  class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
  subject: { reference: 'Patient/patient-1' },
};
const observation = {
  resourceType: 'Observation',
  id: 'observation-1',
  status: 'final',
  code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] },
  subject: { reference: 'Patient/patient-1' },
  valueQuantity: { value: 71.25, unit: 'kg' },
};
const { status: _status, ...observationWithoutStatus } = observation;

const good = { patient, relatedPerson, encounter, observation };

const faults = {
  'an unknown gender': { ...patient, gender: 'SECRET' },
  'an unknown address use': { ...patient, address: [{ use: 'SECRET' }] },
  'text for a boolean': { ...patient, active: 'true' },
  'a malformed id': { ...patient, id: 'SECRET id' },
  'an empty string': { ...patient, name: [{ family: '' }] },
  'an impossible date': { ...patient, birthDate: '1970-13-41' },
  'an unknown field': { ...patient, favouriteColour: 'SECRET' },
  'an Observation without a status': observationWithoutStatus,
  'a fault in a contained resource': { ...patient, contained: [{ ...relatedPerson, gender: 'SECRET' }] },
  'a contained resource of an unknown type': { ...patient, contained: [{ resourceType: 'SECRET' }] },
  'an unknown resource type': { resourceType: 'SECRET', id: 'a' },
};

function run(input, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CHECK, ...args], { input, encoding: 'utf8' });
  return { status, stdout, stderr };
}

function check(resources) {
  const { status, stdout } = run(resources.map((resource) => `${JSON.stringify(resource)}\n`).join(''));
  return { status, stdout, summary: JSON.parse(stdout) };
}

test('good resources are accepted', () => {
  const { status, summary } = check(Object.values(good));
  assert.deepEqual(summary, { checked: 4, invalid: 0, failures: [] });
  assert.equal(status, 0);
});

test('each fault is refused', async (t) => {
  const { status, summary } = check(Object.values(faults));
  const refusedLines = new Set(summary.failures.map(({ line }) => line));
  assert.equal(status, 1);
  for (const [index, fault] of Object.keys(faults).entries()) {
    await t.test(fault, () => assert.ok(refusedLines.has(index + 1)));
  }
});

test('a failure names the element and the resource, but never a value', () => {
  const { stdout, summary } = check([patient, faults['an unknown gender']]);
  assert.deepEqual(summary.failures, [
    {
      line: 2,
      resourceType: 'Patient',
      id: 'patient-1',
      validator: 'json-schema',
      path: 'Patient.gender',
      problem: 'must be equal to one of the allowed values',
    },
  ]);
  assert.doesNotMatch(stdout + check(Object.values(faults)).stdout, /SECRET/);
});

test('failures stop at twenty, the count does not', () => {
  const { summary } = check(Array(30).fill(observationWithoutStatus));
  assert.equal(summary.invalid, 30);
  assert.equal(summary.failures.length, 20);
});

test('two thousand resources take well under ten seconds', () => {
  const began = performance.now();
  const { summary } = check(Array(500).fill(Object.values(good)).flat());
  assert.equal(summary.checked, 2000);
  assert.ok(performance.now() - began < 10_000);
});

test('input that cannot be read ends with a sentence and 2', () => {
  const notJson = run(`${JSON.stringify(patient)}\nSECRET\n`);
  assert.deepEqual(notJson, { status: 2, stdout: '', stderr: 'line 2 is not JSON\n' });
  assert.deepEqual(run('[]\n'), { status: 2, stdout: '', stderr: 'line 1 is not a JSON object\n' });
  assert.equal(run('', '--help').status, 2);
});
