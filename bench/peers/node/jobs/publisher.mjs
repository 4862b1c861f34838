import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const EVENT_BUS_NAME = 'events';

/** From the lines of an exported file to the entries of their events. */
export async function jobOf(variant, folder) {
  const { entryWriter } = await import(`../${variant}/resource-events.mjs`);
  const bytes = readFileSync(join(folder, 'lines.ndjson'));
  const entries = entryWriter(JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')), EVENT_BUS_NAME);
  return {
    run: () => entries(bytes),
    records: () => entries(bytes).map(({ entry }) => entry),
  };
}
