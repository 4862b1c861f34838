// What the equality gate cannot see, because the input has none of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TIME_TO_LIVE, VARIANTS, recordOf } from './samples.mjs';

for (const variant of VARIANTS) {
  const { answer } = await import(`../${variant}/enrichment.mjs`);
  const outcomesOf = async (...records) =>
    JSON.parse(await answer(Buffer.from(JSON.stringify(records)), new Map()));

  // The same case stands in crates/domain/src/change/id.rs.
  test(`${variant}: a change's id is the one that Tributary gives`, async () => {
    const [{ event }] = await outcomesOf(recordOf('INSERT'));
    assert.equal(event.meta.id, 'f1184d0dc1aabd7db695fb01d0d6b7fc');
  });

  test(`${variant}: a record that cannot become an event fails no other`, async () => {
    const withoutImage = recordOf('INSERT');
    delete withoutImage.dynamodb.NewImage;
    const poison = [
      withoutImage,
      { ...recordOf('INSERT'), eventName: 'UPSERT' },
      recordOf('INSERT', { gender: { S: 'x' } }),
      recordOf('INSERT', { birthDate: { S: '17.03.1980' } }),
      recordOf('INSERT', { unknown: { X: 'no type of DynamoDB' } }),
    ];
    for (const record of poison) {
      const [first, second, third] = await outcomesOf(recordOf('INSERT'), record, recordOf('MODIFY'));
      assert.equal(first.event.fhir.id, '1');
      assert.equal(second.event, undefined);
      assert.deepEqual(second.rejected.record, record);
      assert.equal(third.event.fhir.id, '1');
    }
  });

  test(`${variant}: a batch of such records alone has an answer`, async () => {
    const [outcome] = await outcomesOf(recordOf('INSERT', { gender: { S: 'x' } }));
    assert.ok(outcome.rejected);
  });

  test(`${variant}: an expired item says who removed it`, async () => {
    const [expired, removed] = await outcomesOf(recordOf('REMOVE', {}, { userIdentity: TIME_TO_LIVE }), recordOf('REMOVE'));
    assert.equal(expired.event.meta.removedBy, 'ttl');
    assert.deepEqual(expired.event.item, { id: 'PATIENT#1', sk: 'PATIENT#1' });
    assert.equal(expired.event.previous.itemType, 'Patient');
    assert.equal(expired.event.fhir, undefined);
    assert.equal(removed.event.meta.removedBy, undefined);
  });

  test(`${variant}: an attribute without a value is null, and escapes stay`, async () => {
    const attributes = { birthDate: { NULL: true }, 'other "one"': { L: [{ NULL: true }, { S: 'a "b"\\\n' }] } };
    const [{ event }] = await outcomesOf(recordOf('INSERT', attributes));
    assert.equal(event.item.birthDate, null);
    assert.deepEqual(event.item['other "one"'], [null, 'a "b"\\\n']);
    assert.deepEqual(event.fhir, { resourceType: 'Patient', id: '1' });
  });
}
