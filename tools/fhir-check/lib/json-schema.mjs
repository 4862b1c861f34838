/** HL7's JSON Schema of FHIR R4, one compiled validator per resource type. */

import Ajv from 'ajv';
import { isResourceType, jsonSchema } from './definitions.mjs';

const R4 = 'https://hl7.org/fhir/R4/fhir.schema.json';

const ajv = new Ajv({
  strict: false, // the schema is draft 06 and has keywords of its own
  validateSchema: false,
  unicodeRegExp: false, // its patterns escape "-", which a unicode expression refuses
});

// Where any resource may stand (contained, in a Bundle) the schema tries every type and reports what each of them dislikes.
// A resource says its type, so only that one is asked, and compiled.
ajv.addKeyword({ keyword: 'ownType', errors: true, validate: validateNested });
ajv.addSchema({ $id: R4, definitions: { ...jsonSchema.definitions, ResourceList: { type: 'object', ownType: true } } });

function validateNested(_schema, resource, _parentSchema, { instancePath }) {
  if (!isResourceType(resource.resourceType)) {
    validateNested.errors = [{ instancePath, message: 'is not a resource type of R4', params: {} }];
    return false;
  }
  const validate = validatorOf(resource.resourceType);
  const valid = validate(resource);
  validateNested.errors = validate.errors?.map((error) => ({ ...error, instancePath: instancePath + error.instancePath }));
  return valid;
}

function validatorOf(resourceType) {
  return ajv.getSchema(`${R4}#/definitions/${resourceType}`);
}

/** The first problem of a resource of a type that R4 has, as `[{path, problem}]`; none if it is valid. */
export function jsonSchemaProblems(resource) {
  const validate = validatorOf(resource.resourceType);
  return validate(resource) ? [] : [problemOf(resource.resourceType, validate.errors[0])];
}

function problemOf(resourceType, { keyword, instancePath, message, params }) {
  return {
    path: resourceType + fhirPath(instancePath),
    problem: keyword === 'additionalProperties' ? `has no element "${params.additionalProperty}"` : message,
  };
}

/** `/contact/0/gender` as `.contact[0].gender`. */
function fhirPath(jsonPointer) {
  return jsonPointer
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('');
}
