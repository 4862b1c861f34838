// The Lambda function that puts what the enrichment answered on the bus, without Powertools.

import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { putOutcomes } from '../shared/event-bus.mjs';
import { clientOptions } from './clients.mjs';
import { report } from './telemetry.mjs';

const CONNECTIONS = 8;

const eventbridge = new EventBridgeClient(clientOptions(CONNECTIONS));
const busName = process.env.EVENT_BUS_NAME;

export async function handler(outcomes) {
  const failed = await putOutcomes(eventbridge, busName, outcomes);
  report('batch routed', { Routed: outcomes.length - failed.size, Failed: failed.size });
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}
