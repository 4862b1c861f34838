/**
 * All tests in one process: each file in one of its own would load the CDK and synthesize the same templates again, which takes
 * most of the time. One file alone: `node --import tsx --test test/options.test.ts`.
 */
import { readdirSync } from 'node:fs';

for (const file of readdirSync(new URL('.', import.meta.url)).sort()) {
  if (file.endsWith('.test.ts')) await import(new URL(file, import.meta.url).href);
}
