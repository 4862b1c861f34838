// The Lambda function that enriches a pipe's batch, without Powertools.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { readCollections } from '../shared/collections.mjs';
import { clientOptions } from './clients.mjs';
import { enrich } from './enrichment.mjs';
import { plainItem } from './plain-item.mjs';
import { report } from './telemetry.mjs';

const CONNECTIONS = 16;

const dynamodb = new DynamoDBClient(clientOptions(CONNECTIONS));
const tableName = process.env.ITEMS_TABLE_NAME;

export async function handler(records) {
  const collections = await readCollections(dynamodb, tableName, records, plainItem);
  const outcomes = enrich(records, collections);
  const enriched = outcomes.filter(({ event }) => event !== undefined).length;
  report('batch enriched', { Records: records.length, Enriched: enriched, Rejected: records.length - enriched });
  return outcomes;
}
