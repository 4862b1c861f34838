// Records and outcomes for the tests.

/** Both variants, to be tested alike. */
export const VARIANTS = ['powertools', 'hand-tuned'];

export const TIME_TO_LIVE = { type: 'Service', principalId: 'dynamodb.amazonaws.com' };

/** A stream record of a patient, with further attributes in its images. */
export function recordOf(eventName, attributes = {}, members = {}) {
  return recordOfItem(eventName, { sk: { S: 'PATIENT#1' }, itemType: { S: 'Patient' }, ...attributes }, members);
}

export function recordOfAddress(eventName, attributes = {}) {
  return recordOfItem(eventName, { sk: { S: 'ADDRESS#1' }, itemType: { S: 'Address' }, ...attributes });
}

function recordOfItem(eventName, attributes, members) {
  const image = { id: { S: 'PATIENT#1' }, ...attributes };
  const images = {
    INSERT: { NewImage: image },
    MODIFY: { NewImage: image, OldImage: image },
    REMOVE: { OldImage: image },
  }[eventName];
  return {
    eventID: 'e',
    eventName,
    eventSourceARN: 'arn:aws:dynamodb:eu-west-1:111122223333:table/items/stream/1',
    dynamodb: {
      ApproximateCreationDateTime: 1795331640,
      Keys: { id: image.id, sk: image.sk },
      SequenceNumber: '7',
      ...images,
    },
    ...members,
  };
}

/** What the enrichment answered of a record. */
export function outcomeNamed(eventID, key) {
  return { eventID, key, event: { meta: { itemType: 'Patient', id: eventID } } };
}

/** A client of the bus that refuses each event as often as it is told, by the event's id. */
export class Bus {
  constructor(refusals = {}) {
    this.refusals = { ...refusals };
    this.requests = [];
    this.taken = [];
  }

  async send({ input }) {
    const ids = input.Entries.map(({ Detail }) => JSON.parse(Detail).meta.id);
    this.requests.push(ids);
    const Entries = ids.map((id) => this.put(id));
    return { FailedEntryCount: Entries.filter(({ ErrorCode }) => ErrorCode).length, Entries };
  }

  put(id) {
    if (this.refusals[id] > 0) {
      this.refusals[id] -= 1;
      return { ErrorCode: 'ThrottlingException' };
    }
    this.taken.push(id);
    return { EventId: id };
  }
}
