// The Lambda function that enriches a pipe's batch.

import { Logger } from '@aws-lambda-powertools/logger';
import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { readCollections } from '../shared/collections.mjs';
import { enrich } from './enrichment.mjs';
import { plainItem } from './plain-item.mjs';

const logger = new Logger();
const metrics = new Metrics();
const dynamodb = new DynamoDBClient();
const tableName = process.env.ITEMS_TABLE_NAME;

export async function handler(records) {
  const collections = await readCollections(dynamodb, tableName, records, plainItem);
  const outcomes = await enrich(records, collections);

  const enriched = outcomes.filter(({ event }) => event !== undefined).length;
  const rejected = outcomes.length - enriched;
  logger.info('batch enriched', { records: records.length, enriched, rejected });
  metrics.addMetric('Records', MetricUnit.Count, records.length);
  metrics.addMetric('Enriched', MetricUnit.Count, enriched);
  metrics.addMetric('Rejected', MetricUnit.Count, rejected);
  metrics.publishStoredMetrics();
  return outcomes;
}
