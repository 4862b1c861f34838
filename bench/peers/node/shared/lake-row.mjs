// A stream record as a row of the lake, and the partition that it belongs to.
//
// Where the lake writer is stricter, this is not: numbers pass through doubles, and nothing is checked that the input of the
// measurement does not have.

const SEQUENCE_DIGITS = 40;
const UNITS = ['year', 'month', 'day', 'hour', 'minute'];
const NULL_PARTITION = '__HIVE_DEFAULT_PARTITION__';

/** The columns of a lake, in the order of the rows, and which attributes have one. */
export function columnsOf(lake) {
  const columns = Object.entries(lake.columns)
    .map(([attribute, type]) => ({ attribute, type, name: attribute.toLowerCase().replace(/[^a-z0-9_]/g, '_') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return { columns, declared: new Set(Object.keys(lake.columns)) };
}

export function rowOf(record, { columns, declared }, lake, { plainItem, digest }) {
  const { eventName, eventID, eventSourceARN, dynamodb, userIdentity } = record;
  const item = plainItem(eventName === 'REMOVE' ? dynamodb.OldImage : dynamodb.NewImage);
  const row = {
    _op: eventName,
    _event_id: digest('change', [eventSourceARN, eventID, dynamodb.SequenceNumber]),
    _sequence: dynamodb.SequenceNumber.padStart(SEQUENCE_DIGITS, '0'),
    _changed_at: sqlTimestamp(rfc3339(dynamodb.ApproximateCreationDateTime * 1000)),
  };
  if (userIdentity?.principalId === 'dynamodb.amazonaws.com') row._removed_by = 'ttl';
  row.id = item.id;
  row.sk = item.sk;
  const cells = {};
  const extra = {};
  const renamed = {};
  let types = '';
  for (const { attribute, type, name } of columns) {
    if (!(attribute in item)) continue;
    const [kind, text, isExact = true] = cell(type, item[attribute]) ?? [];
    if (kind !== undefined) {
      types += kind;
      cells[name] = text;
      if (name !== attribute) renamed[name] = attribute;
    }
    if (kind === undefined || !isExact) extra[attribute] = item[attribute];
  }
  for (const attribute in item) {
    if (attribute !== 'id' && attribute !== 'sk' && !declared.has(attribute)) extra[attribute] = item[attribute];
  }
  if (types !== '') row._types = types;
  if (Object.keys(renamed).length > 0) row._attributes = JSON.stringify(renamed);
  Object.assign(row, cells);
  if (Object.keys(extra).length > 0) row._extra = JSON.stringify(extra);
  return { row, partition: partitionOf(item, dynamodb.ApproximateCreationDateTime, lake.partition) };
}

/** The kind and the text of a value in a column, and whether the text says all; undefined where it does not fit. */
function cell(type, value) {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? ['s', value] : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? ['b', String(value)] : undefined;
    case 'bigint':
      return Number.isInteger(value) ? ['n', String(value)] : undefined;
    case 'json':
      return ['j', JSON.stringify(value)];
    case 'timestamp': {
      const milliseconds = typeof value === 'string' ? Date.parse(value) : NaN;
      if (Number.isNaN(milliseconds)) return undefined;
      const instant = rfc3339(milliseconds);
      return ['t', sqlTimestamp(instant), instant === value];
    }
    default:
      return typeof value === 'number' ? ['n', String(value)] : undefined;
  }
}

/** `2026-11-22T07:14:00.5Z` of milliseconds since 1970. */
function rfc3339(milliseconds) {
  return new Date(milliseconds).toISOString().replace(/\.?0*Z$/, 'Z');
}

/** `2026-11-22 07:14:00.5`, as Athena reads it. */
function sqlTimestamp(instant) {
  return instant.replace('T', ' ').slice(0, -1);
}

function partitionOf(item, second, { attributes = [], time }) {
  const folders = attributes.map((name) => {
    const value = item[name];
    const isMissing = value === undefined || value === null || value === '' || typeof value === 'object';
    return `${escaped(name)}=${isMissing ? NULL_PARTITION : escaped(value)}`;
  });
  if (time) {
    const parts = new Date(second * 1000).toISOString().split(/[-T:.]/);
    for (const [index, unit] of UNITS.slice(0, UNITS.indexOf(time.unit) + 1).entries()) {
      folders.push(`${unit}=${parts[index]}`);
    }
  }
  return folders.join('/');
}

/** As Hive escapes what a folder's name may not hold. */
function escaped(text) {
  return String(text).replace(/[\u0000-\u001f\u007f"#%'*/:=?\\{[\]^]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
