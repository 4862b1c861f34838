#!/usr/bin/env node
/**
 * Reads FHIR R4 resources, one JSON document a line, and says which of them two independent validators refuse.
 *
 * No value of a resource is ever written: paths and problems name elements, and an id only where it looks like one.
 */

import { createInterface } from 'node:readline';
import { isResourceType } from './lib/definitions.mjs';
import { jsonSchemaProblems } from './lib/json-schema.mjs';
import { medplumProblems } from './lib/medplum.mjs';

const FAILURES_SHOWN = 20;
const VALIDATORS = { 'json-schema': jsonSchemaProblems, medplum: medplumProblems };

class UnreadableInput extends Error {}

function parse(text, line) {
  let resource;
  try {
    resource = JSON.parse(text);
  } catch {
    throw new UnreadableInput(`line ${line} is not JSON`); // the parser's own message quotes the line
  }
  if (resource === null || typeof resource !== 'object' || Array.isArray(resource)) {
    throw new UnreadableInput(`line ${line} is not a JSON object`);
  }
  return resource;
}

function problemsOf(resource) {
  if (!isResourceType(resource.resourceType)) {
    return [{ validator: 'json-schema', path: 'resourceType', problem: 'is not a resource type of R4' }];
  }
  return Object.entries(VALIDATORS).flatMap(([validator, problems]) =>
    problems(resource).map((problem) => ({ validator, ...problem })),
  );
}

function nameOf({ resourceType, id }) {
  return {
    resourceType: isResourceType(resourceType) ? resourceType : null,
    id: typeof id === 'string' && /^[A-Za-z0-9\-.]{1,64}$/.test(id) ? id : null,
  };
}

async function check(lines) {
  const summary = { checked: 0, invalid: 0, failures: [] };
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') {
      continue;
    }
    const resource = parse(text, line);
    const problems = problemsOf(resource);
    summary.checked += 1;
    summary.invalid += problems.length > 0 ? 1 : 0;
    for (const problem of problems.slice(0, FAILURES_SHOWN - summary.failures.length)) {
      summary.failures.push({ line, ...nameOf(resource), ...problem });
    }
  }
  return summary;
}

async function main() {
  if (process.argv.length > 2) {
    throw new UnreadableInput('fhir-check takes no argument: it reads NDJSON from standard input');
  }
  const summary = await check(createInterface({ input: process.stdin, crlfDelay: Infinity }));
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  process.exitCode = summary.invalid > 0 ? 1 : 0;
}

main().catch((error) => {
  if (!(error instanceof UnreadableInput)) {
    throw error;
  }
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
