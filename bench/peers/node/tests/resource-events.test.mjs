import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestsOf } from '../shared/requests.mjs';
import { VARIANTS } from './samples.mjs';

const RUN = { id: 'r', datastore: { id: 'd' }, window: null };
const LINES = [
  '{"resourceType":"Patient","id":"1","text":{"div":"<p class=\\"v\\">1</p>"},"value":1.10}',
  '{"resourceType":"Patient","id":"1","meta":{"versionId":"2","lastUpdated":"2026-11-22T07:14:00Z"},"name":[{"text":"\\"b\\""}]}',
];

for (const variant of VARIANTS) {
  const { entryWriter } = await import(`../${variant}/resource-events.mjs`);

  test(`${variant}: a line goes into its event as it is`, () => {
    const entries = [...entryWriter(RUN, 'events')(Buffer.from(`${LINES.join('\n')}\n`))];
    assert.equal(entries.length, LINES.length);
    for (const [index, { entry }] of entries.entries()) assert.ok(entry.Detail.endsWith(`,"fhir":${LINES[index]}}`));
  });

  test(`${variant}: entries are made as they are asked for`, () => {
    const entries = entryWriter(RUN, 'events')(Buffer.from(`${LINES[0]}\nno resource\n`));
    assert.equal(entries.next().done, false);
    assert.throws(() => entries.next());
  });
}

test('a request holds ten entries, and the last one the rest', () => {
  assert.deepEqual([...requestsOf(Array(23).keys())].map((request) => request.length), [10, 10, 3]);
  assert.deepEqual([...requestsOf([])], []);
});
