import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { TIME_TO_LIVE, VARIANTS, recordOf } from './samples.mjs';

for (const variant of VARIANTS) {
  const { fileWriter } = await import(`../${variant}/lake-files.mjs`);
  const rowOf = (columns, record) => {
    const [{ body }] = fileWriter({ table: 'items', partition: {}, columns })(Buffer.from(JSON.stringify({ Records: [record] })));
    return JSON.parse(gunzipSync(body));
  };

  test(`${variant}: what has no value or no column is kept beside the columns`, () => {
    const columns = { itemType: 'string', 'Born On': 'string', none: 'string', any: 'json' };
    const nothing = { NULL: true };
    const attributes = { 'Born On': { S: 'a "b"' }, none: nothing, any: nothing, 'other "one"': nothing };
    const row = rowOf(columns, recordOf('INSERT', attributes));
    assert.equal(row._types, 'jss');
    assert.equal(row._attributes, '{"born_on":"Born On","itemtype":"itemType"}');
    assert.equal(row.born_on, 'a "b"');
    assert.equal(row.any, 'null');
    assert.equal(row._extra, '{"none":null,"other \\"one\\"":null}');
  });

  test(`${variant}: a row of an expired item says who removed it`, () => {
    assert.equal(rowOf({}, recordOf('REMOVE', {}, { userIdentity: TIME_TO_LIVE }))._removed_by, 'ttl');
    assert.equal(rowOf({}, recordOf('REMOVE'))._removed_by, undefined);
  });
}
