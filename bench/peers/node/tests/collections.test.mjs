import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { plainItem } from '../hand-tuned/plain-item.mjs';
import { readCollections } from '../shared/collections.mjs';
import { recordOf, recordOfAddress } from './samples.mjs';

const ADDRESS = { sk: { S: 'ADDRESS#1' }, city: { S: 'Sampleton' } };
const PATIENT = { sk: { S: 'PATIENT#1' } };

/** The queries that a batch takes, and what is known of the patient then. */
async function read(context, records, items) {
  const client = new DynamoDBClient({ region: 'eu-west-1' });
  const { mock } = context.mock.method(client, 'send', async () => ({ Items: items }));
  const collections = await readCollections(client, 'items', records, plainItem);
  return [mock.calls.map(({ arguments: [command] }) => command.input), collections.get('PATIENT#1')];
}

test('of patients whom the batch brings only the addresses are read, once and consistently', async (context) => {
  const records = [recordOf('INSERT'), recordOf('MODIFY'), recordOf('REMOVE')];
  const [[query, ...further], collection] = await read(context, records, [ADDRESS]);
  assert.deepEqual(further, []);
  assert.equal(query.TableName, 'items');
  assert.equal(query.KeyConditionExpression, 'id = :id AND begins_with(sk, :prefix)');
  assert.deepEqual(query.ExpressionAttributeValues, { ':id': { S: 'PATIENT#1' }, ':prefix': { S: 'ADDRESS#' } });
  assert.equal(query.ConsistentRead, true);
  assert.deepEqual(collection, { patient: undefined, addresses: [{ sk: 'ADDRESS#1', city: 'Sampleton' }] });
});

test('where an address changes, everything is read', async (context) => {
  for (const eventName of ['INSERT', 'REMOVE']) {
    const records = [recordOf('INSERT'), recordOfAddress(eventName), recordOf('MODIFY')];
    const [[query, ...further], collection] = await read(context, records, [ADDRESS, PATIENT]);
    assert.deepEqual(further, []);
    assert.equal(query.KeyConditionExpression, 'id = :id');
    assert.deepEqual(query.ExpressionAttributeValues, { ':id': { S: 'PATIENT#1' } });
    assert.equal(query.ConsistentRead, true);
    assert.deepEqual(collection.patient, { sk: 'PATIENT#1' });
  }
});

test('nothing is read of a patient who is gone, or for a record that is none', async (context) => {
  const [queries] = await read(context, [recordOf('REMOVE'), {}], []);
  assert.deepEqual(queries, []);
});
