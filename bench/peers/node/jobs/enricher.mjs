import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** From the pipe's batch to the enrichment's answer, of patients without addresses. */
export async function jobOf(variant, folder) {
  const { answer } = await import(`../${variant}/enrichment.mjs`);
  const bytes = readFileSync(join(folder, 'event.json'));
  const collections = new Map();
  return {
    run: () => answer(bytes, collections),
    records: async () => JSON.parse((await answer(bytes, collections)).toString('utf8')),
  };
}
