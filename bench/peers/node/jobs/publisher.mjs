import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requestsOf } from '../shared/requests.mjs';

const EVENT_BUS_NAME = 'events';

/** From the lines of an exported file to the entries of their events, of which one request's are held at a time. */
export async function jobOf(variant, folder) {
  const { entryWriter } = await import(`../${variant}/resource-events.mjs`);
  const lines = readFileSync(join(folder, 'lines.ndjson'));
  const entriesOf = entryWriter(JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8')), EVENT_BUS_NAME);
  return {
    run() {
      let sent = 0;
      for (const request of requestsOf(entriesOf(lines))) {
        for (const { bytes } of request) sent += bytes;
      }
      return sent;
    },
    records: () => Array.from(entriesOf(lines), ({ entry }) => entry),
  };
}
