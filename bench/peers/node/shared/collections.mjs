// What the table holds of the patients in a batch.

import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { eachConcurrently } from './concurrently.mjs';

const CONCURRENT_PATIENTS = 16;
const ITEM_TYPES_OF_A_PATIENT = new Set(['Patient', 'Address']);

/** The patient and its addresses, in the order of their sort keys, under each `id` that the batch needs; each read once. */
export async function readCollections(client, tableName, records, plainItem) {
  const patients = new Set(records.filter(needsCollection).map(({ dynamodb }) => dynamodb.Keys.id.S));
  const collections = new Map();
  await eachConcurrently([...patients], CONCURRENT_PATIENTS, async (patient) => {
    collections.set(patient, await readCollection(client, tableName, patient, plainItem));
  });
  return collections;
}

/** A patient that is removed has no resource any more. A record that cannot be read is rejected later, by itself. */
function needsCollection({ dynamodb }) {
  const itemType = (dynamodb?.NewImage ?? dynamodb?.OldImage)?.itemType?.S;
  const isRemovedPatient = itemType === 'Patient' && dynamodb.NewImage === undefined;
  return ITEM_TYPES_OF_A_PATIENT.has(itemType) && !isRemovedPatient && dynamodb.Keys?.id?.S !== undefined;
}

/** Consistent, so that a change is never enriched with a table older than the change itself. */
async function readCollection(client, TableName, patient, plainItem) {
  const collection = { patient: undefined, addresses: [] };
  const query = {
    TableName,
    KeyConditionExpression: 'id = :id',
    ExpressionAttributeValues: { ':id': { S: patient } },
    ConsistentRead: true,
  };
  for await (const { Items = [] } of paginateQuery({ client }, query)) {
    for (const attributes of Items) {
      const item = plainItem(attributes);
      if (item.sk.startsWith('PATIENT#')) collection.patient = item;
      else if (item.sk.startsWith('ADDRESS#')) collection.addresses.push(item);
    }
  }
  return collection;
}
