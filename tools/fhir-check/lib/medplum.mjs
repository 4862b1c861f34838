/** Medplum's validator: R4's structure definitions, with what is required, how often, and the invariants. */

import { indexStructureDefinitionBundle, OperationOutcomeError, validateResource } from '@medplum/core';
import { structureBundles } from './definitions.mjs';

structureBundles.forEach(indexStructureDefinitionBundle);

/** The problems of a resource of a type that R4 has, as `[{path, problem}]`; none if it is valid. */
export function medplumProblems(resource) {
  try {
    validateResource(resource);
    return [];
  } catch (error) {
    if (!(error instanceof OperationOutcomeError)) {
      // What FHIRPath or the crawler threw may quote the value that it stumbled over.
      return [{ path: resource.resourceType, problem: 'cannot be validated' }];
    }
    return error.outcome.issue.filter(({ severity }) => severity === 'error').map(problemOf);
  }
}

function problemOf({ expression, details }) {
  return { path: expression?.[0] ?? null, problem: withoutValues(details.text) };
}

/** Two of Medplum's messages go on with what they found. */
function withoutValues(text) {
  const quoting = ['Error evaluating invariant expression', 'Unknown data type'];
  return quoting.find((beginning) => text.startsWith(beginning)) ?? text;
}
