// Lines of an exported file to entries for PutEvents.

import { digest } from '../shared/digest.mjs';
import { DETAIL_TYPE, SOURCE, entryBytes, isId, isResource, sharedMeta, utcInstant } from '../shared/exported-resource.mjs';

/**
 * From the bytes of whole lines to entries with their sizes. The line goes into its event as it is: a decimal of FHIR says
 * by its digits how precise it is (hl7.org/fhir/R4/datatypes.html#decimal), and `JSON.stringify` would write 1.1 for 1.10.
 */
export function entryWriter(run, eventBusName) {
  const shared = sharedMeta(run);
  const entryOf = (line) => {
    const { resourceType, id, meta = {} } = JSON.parse(line);
    if (!isResource(resourceType, id)) throw new Error('line-not-resource');
    const detail = `{"meta":${JSON.stringify(metaOf(resourceType, id, meta, line, shared))},"fhir":${line}}`;
    const entry = { Source: SOURCE, DetailType: DETAIL_TYPE, EventBusName: eventBusName, Detail: detail };
    return { entry, bytes: entryBytes(entry) };
  };
  return function* entriesOf(bytes) {
    for (const line of bytes.toString('utf8').trimEnd().split('\n')) yield entryOf(line);
  };
}

function metaOf(resourceType, resourceId, { versionId, lastUpdated }, line, shared) {
  const { datastoreId } = shared;
  const isVersion = isId(versionId) && lastUpdated;
  return {
    id: isVersion
      ? digest('resource', [datastoreId, resourceType, resourceId, versionId, lastUpdated])
      : digest('line', [datastoreId, line]),
    resourceType,
    resourceId,
    versionId: isId(versionId) ? versionId : undefined,
    lastUpdated: utcInstant(lastUpdated),
    ...shared,
  };
}
