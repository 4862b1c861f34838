// What the table holds of the patients in a batch.

import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { eachConcurrently } from './concurrently.mjs';

const CONCURRENT_PATIENTS = 16;
const PATIENT_PREFIX = 'PATIENT#';
const ADDRESS_PREFIX = 'ADDRESS#';

/** The patient and its addresses, in the order of their sort keys, under each `id` that the batch needs; each read once. */
export async function readCollections(client, tableName, records, plainItem) {
  const collections = new Map();
  await eachConcurrently([...neededOf(records)], CONCURRENT_PATIENTS, async ([patient, isWhole]) => {
    const keys = isWhole ? everything(patient) : addressesAlone(patient);
    collections.set(patient, await readCollection(client, { TableName: tableName, ...keys }, plainItem));
  });
  return collections;
}

/**
 * The `id`s, and of each whether the whole collection is needed. A change of the patient itself brings the patient, so that
 * only its addresses have to be read; one that removes it leaves no resource to be made. A record that cannot be read is
 * rejected later, by itself.
 */
function neededOf(records) {
  const needed = new Map();
  for (const { dynamodb } of records) {
    const id = dynamodb?.Keys?.id?.S;
    const itemType = (dynamodb?.NewImage ?? dynamodb?.OldImage)?.itemType?.S;
    if (id === undefined) continue;
    if (itemType === 'Address') needed.set(id, true);
    else if (itemType === 'Patient' && dynamodb.NewImage !== undefined) needed.set(id, needed.get(id) ?? false);
  }
  return needed;
}

function everything(patient) {
  return { KeyConditionExpression: 'id = :id', ExpressionAttributeValues: { ':id': { S: patient } } };
}

function addressesAlone(patient) {
  return {
    KeyConditionExpression: 'id = :id AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':id': { S: patient }, ':prefix': { S: ADDRESS_PREFIX } },
  };
}

/** Consistent, so that a change is never enriched with a table older than the change itself. */
async function readCollection(client, keys, plainItem) {
  const collection = { patient: undefined, addresses: [] };
  const query = { ...keys, ConsistentRead: true };
  for await (const { Items = [] } of paginateQuery({ client }, query)) {
    for (const attributes of Items) {
      const item = plainItem(attributes);
      if (item.sk.startsWith(PATIENT_PREFIX)) collection.patient = item;
      else if (item.sk.startsWith(ADDRESS_PREFIX)) collection.addresses.push(item);
    }
  }
  return collection;
}
