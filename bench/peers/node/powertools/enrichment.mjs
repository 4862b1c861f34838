// Stream records to outcomes, one for each, by the batch utility.

import { BatchProcessor, EventType } from '@aws-lambda-powertools/batch';
import { digest } from '../shared/digest.mjs';
import { outcomeOf } from '../shared/outcome.mjs';
import { plainItem } from './plain-item.mjs';

const processor = new BatchProcessor(EventType.DynamoDBStreams);
const means = { plainItem, digest };

/** From the bytes of the pipe's batch to those of the answer, of patients whose collections are known. */
export async function answer(bytes, collections) {
  return Buffer.from(JSON.stringify(await enrich(JSON.parse(bytes.toString('utf8')), collections)));
}

/** A record that cannot be mapped is an outcome too, and fails no other. */
export async function enrich(records, collections) {
  const options = { throwOnFullBatchFailure: false };
  const processed = await processor.register(records, (record) => outcomeOf(record, collections, means), options).process();
  return processed.map(([status, result, record]) =>
    status === 'success' ? result : { eventID: record.eventID, rejected: { reason: result, record } },
  );
}
