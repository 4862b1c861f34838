// The Lambda function that puts what the enrichment answered on the bus.

import { Logger } from '@aws-lambda-powertools/logger';
import { MetricUnit, Metrics } from '@aws-lambda-powertools/metrics';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { putOutcomes } from '../shared/event-bus.mjs';

const logger = new Logger();
const metrics = new Metrics();
const eventbridge = new EventBridgeClient();
const busName = process.env.EVENT_BUS_NAME;

export async function handler(outcomes) {
  const failed = await putOutcomes(eventbridge, busName, outcomes);

  const routed = outcomes.length - failed.size;
  logger.info('batch routed', { routed, failed: failed.size });
  metrics.addMetric('Routed', MetricUnit.Count, routed);
  metrics.addMetric('Failed', MetricUnit.Count, failed.size);
  metrics.publishStoredMetrics();
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}
