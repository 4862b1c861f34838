import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** From Lambda's batch to the compressed files of its partitions. */
export async function jobOf(variant, folder) {
  const { fileWriter } = await import(`../${variant}/lake-files.mjs`);
  const bytes = readFileSync(join(folder, 'event.json'));
  const files = fileWriter(JSON.parse(readFileSync(join(folder, 'lake.json'), 'utf8')));
  return {
    run: () => files(bytes),
    records: () => files(bytes).flatMap(({ partition, body }) => rows(body).map((row) => ({ partition, row }))),
  };
}

function rows(body) {
  const lines = gunzipSync(body).toString('utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}
