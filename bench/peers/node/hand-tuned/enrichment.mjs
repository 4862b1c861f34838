// Stream records to outcomes, one for each, without the batch utility.

import { outcomeOf } from '../shared/outcome.mjs';
import { digest } from './digest.mjs';
import { plainItem } from './plain-item.mjs';

const means = { plainItem, digest };

/** From the bytes of the pipe's batch to those of the answer, of patients whose collections are known. */
export function answer(bytes, collections) {
  return Buffer.from(JSON.stringify(enrich(JSON.parse(bytes.toString('utf8')), collections)));
}

/** A record that cannot be mapped is an outcome too, and fails no other. */
export function enrich(records, collections) {
  return records.map((record) => {
    try {
      return outcomeOf(record, collections, means);
    } catch (error) {
      return { eventID: record.eventID, rejected: { reason: error.message, record } };
    }
  });
}
