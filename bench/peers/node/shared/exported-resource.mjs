// What an exported FHIR resource becomes on the bus, apart from the resource itself.

export const SOURCE = 'tributary.fhir';
export const DETAIL_TYPE = 'FhirResourceChanged';

const SCHEMA_VERSION = '1.0';
const RESOURCE_TYPE = /^[A-Z][A-Za-z]{0,63}$/;
const ID = /^[A-Za-z0-9\-.]{1,64}$/;
const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;
const SECOND_LETTERS = 19;
const FRACTION_DIGITS = 9;

/** The members of `meta` that all events of a run share. */
export function sharedMeta(run) {
  return { correlationId: run.id, datastoreId: run.datastore.id, window: run.window, schemaVersion: SCHEMA_VERSION };
}

export function isResource(resourceType, id) {
  return typeof resourceType === 'string' && RESOURCE_TYPE.test(resourceType) && isId(id);
}

/** Whether the text is a FHIR `id` (hl7.org/fhir/R4/datatypes.html#id), as a version's id is, too. */
export function isId(text) {
  return typeof text === 'string' && ID.test(text);
}

/** In UTC with nine digits after the point, so that the order of the texts is that of the times. */
export function utcInstant(text) {
  const parts = INSTANT.exec(text);
  if (parts === null) return undefined;
  const [, second, fraction = '', offset] = parts;
  const inUtc = offset === 'Z' ? second : new Date(second + offset).toISOString().slice(0, SECOND_LETTERS);
  return `${inUtc}.${fraction.padEnd(FRACTION_DIGITS, '0')}Z`;
}

/**
 * Bytes of an entry as EventBridge counts them (EventBridge user guide, "Calculating PutEvents event entry size"), without
 * which no request can be filled. Measuring also makes one text in memory of what was put together.
 */
export function entryBytes({ Source, DetailType, Detail }) {
  return Source.length + DetailType.length + Buffer.byteLength(Detail);
}
