// A peer's side of the comparison in one process: `cargo xtask bench` runs it in turn with the other programs, which have
// the same command line.
//
//   node in-process.mjs powertools|hand-tuned JOB INPUT-FOLDER check FILE        does the job once and writes what came out
//   node in-process.mjs powertools|hand-tuned JOB INPUT-FOLDER measure SECONDS   does it for so many seconds of CPU time

import { writeFileSync } from 'node:fs';
import { argv, cpuUsage, exit } from 'node:process';

const VARIANTS = ['powertools', 'hand-tuned'];
const JOBS = ['enricher', 'lake-writer', 'publisher'];
const MODES = { check, measure };

const [variant, name, folder, mode, value] = argv.slice(2);
if (!VARIANTS.includes(variant) || !JOBS.includes(name) || !(mode in MODES) || value === undefined) {
  console.error(`usage: in-process.mjs ${VARIANTS.join('|')} ${JOBS.join('|')} INPUT-FOLDER check FILE | measure SECONDS`);
  exit(2);
}
const { jobOf } = await import(`./jobs/${name}.mjs`);
const job = await jobOf(variant, folder);
await MODES[mode](value);

async function check(file) {
  writeFileSync(file, (await job.records()).map((record) => `${JSON.stringify(record)}\n`).join(''));
}

async function measure(seconds) {
  await runFor(Math.max(1, seconds / 5));
  console.log(JSON.stringify(await runFor(Number(seconds))));
}

/** The time is that of all threads of the process, the collector of garbage included. */
async function runFor(seconds) {
  const before = cpuUsage();
  for (let iterations = 1; ; iterations += 1) {
    await job.run();
    const { user, system } = cpuUsage(before);
    const cpuSeconds = (user + system) / 1e6;
    if (cpuSeconds >= seconds) return { iterations, cpuSeconds };
  }
}
