// A stream record's outcome, as the router reads it: the change event, beside what names the record.

import { Reject } from './fhir.mjs';
import { patientResource } from './patient.mjs';

const SCHEMA_VERSION = '1.0';
const SEQUENCE_DIGITS = 40;
const OPERATIONS = { INSERT: 'Insert', MODIFY: 'Modify', REMOVE: 'Remove' };

/** What `itemType` and `correlationId` may hold, in bytes of UTF-8. */
const NAME_BYTES = 254;

/** How the variants make plain items of images, and names of what they name, is theirs. */
export function outcomeOf(record, collections, { plainItem, digest }) {
  const { Keys, NewImage, OldImage } = record.dynamodb;
  const operation = OPERATIONS[record.eventName];
  if (operation === undefined) throw new Reject('record-unreadable', 'eventName');
  if (NewImage === undefined && operation !== 'Remove') throw new Reject('record-unreadable', 'dynamodb.NewImage');
  if (OldImage === undefined && operation !== 'Insert') throw new Reject('record-unreadable', 'dynamodb.OldImage');

  const key = { id: Keys.id.S, sk: Keys.sk.S };
  const item = NewImage && plainItem(NewImage);
  const previous = OldImage && plainItem(OldImage);
  const event = {
    meta: metaOf(record, operation, item ?? previous, digest),
    item: item ?? key,
    previous,
    fhir: resourceAfter(key, item, (item ?? previous).itemType, collections.get(key.id)),
  };
  return { eventID: record.eventID, key: digest('key', [key.id, key.sk]), event };
}

function metaOf({ eventID, eventName, eventSourceARN, dynamodb, userIdentity }, operation, image, digest) {
  const { SequenceNumber, ApproximateCreationDateTime } = dynamodb;
  if (!/^\d{1,40}$/.test(SequenceNumber)) throw new Reject('record-unreadable', 'dynamodb.SequenceNumber');
  const itemType = nameOf(image.itemType) ?? 'Item';
  return {
    id: digest('change', [eventSourceARN, eventID, SequenceNumber]),
    correlationId: nameOf(image.correlationId) ?? eventID,
    changeType: `${itemType}${operation}`,
    itemType,
    operation: eventName,
    removedBy: isTimeToLive(userIdentity) ? 'ttl' : undefined,
    sequence: SequenceNumber.padStart(SEQUENCE_DIGITS, '0'),
    occurredAt: `${new Date(ApproximateCreationDateTime * 1000).toISOString().slice(0, 19)}Z`,
    schemaVersion: SCHEMA_VERSION,
  };
}

function nameOf(value) {
  return typeof value === 'string' && Buffer.byteLength(value) <= NAME_BYTES ? value : undefined;
}

/** An expired item is removed by the service itself (DynamoDB developer guide, "DynamoDB Streams and Time to Live"). */
function isTimeToLive(identity) {
  return identity?.type === 'Service' && identity.principalId === 'dynamodb.amazonaws.com';
}

/** The patient's resource after the change. The changed item is the record's: the table may hold a later one. */
function resourceAfter(key, item, itemType, collection = { addresses: [] }) {
  if (itemType === 'Patient') return item && patientResource(item, collection.addresses);
  if (itemType !== 'Address' || collection.patient === undefined) return undefined;
  const addresses = collection.addresses.filter(({ sk }) => sk !== key.sk);
  if (item) addresses.push(item);
  return patientResource(collection.patient, addresses.sort((a, b) => (a.sk < b.sk ? -1 : 1)));
}
