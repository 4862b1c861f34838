// Lines of an exported file to entries for PutEvents.

import { DETAIL_TYPE, SOURCE, entryBytes, isId, isResource, sharedMeta, utcInstant } from '../shared/exported-resource.mjs';
import { digest } from './digest.mjs';

const LINE_FEED = 0x0a;

/** How a line begins that names its version at once. */
const HEAD = new RegExp(
  /^\{"resourceType":"([A-Z][A-Za-z]{0,63})","id":"([A-Za-z0-9\-.]{1,64})",/.source +
    /"meta":\{"versionId":"([A-Za-z0-9\-.]{1,64})","lastUpdated":"([^"\\]+)"/.source,
);

/**
 * From the bytes of whole lines to entries with their sizes. Of a line that begins as expected nothing else is read: whether
 * the rest is JSON is left to EventBridge, which refuses an entry whose detail is not, and that entry alone (Amazon EventBridge
 * API reference, "PutEventsResultEntry", `MalformedDetail`).
 */
export function entryWriter(run, eventBusName) {
  const shared = sharedMeta(run);
  const sharedText = JSON.stringify(shared).slice(1);
  const entryOf = (line) => {
    const [, resourceType, resourceId, versionId, lastUpdated] = HEAD.exec(line) ?? membersOf(line);
    const id = versionId && lastUpdated
      ? digest('resource', [shared.datastoreId, resourceType, resourceId, versionId, lastUpdated])
      : digest('line', [shared.datastoreId, line]);
    let detail = `{"meta":{"id":"${id}","resourceType":"${resourceType}","resourceId":"${resourceId}",`;
    if (versionId) detail += `"versionId":"${versionId}",`;
    const instant = utcInstant(lastUpdated);
    if (instant) detail += `"lastUpdated":"${instant}",`;
    detail += `${sharedText},"fhir":${line}}`;
    const entry = { Source: SOURCE, DetailType: DETAIL_TYPE, EventBusName: eventBusName, Detail: detail };
    return { entry, bytes: entryBytes(entry) };
  };
  return function* entriesOf(bytes) {
    for (let start = 0, end; (end = bytes.indexOf(LINE_FEED, start)) !== -1; start = end + 1) {
      yield entryOf(bytes.toString('utf8', start, end));
    }
  };
}

function membersOf(line) {
  const { resourceType, id, meta = {} } = JSON.parse(line);
  if (!isResource(resourceType, id)) throw new Error('line-not-resource');
  return [line, resourceType, id, isId(meta.versionId) ? meta.versionId : undefined, meta.lastUpdated];
}
