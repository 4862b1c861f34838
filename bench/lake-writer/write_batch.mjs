// The lake writer's job in Node.js, as it is usually written: the event parsed, its images through `unmarshall`, the rows
// gathered by partition, lines of JSON, gzip.
//
//   node write_batch.mjs EVENT LAKE [--write-output FOLDER | --iterations N]
//
// Where the lake writer is stricter, this is not: numbers pass through doubles, and nothing is checked that the input of the
// measurement does not have.

import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { unmarshall } from '@aws-sdk/util-dynamodb';

const [eventPath, lakePath, option, value] = process.argv.slice(2);
const bytes = readFileSync(eventPath);
const lake = JSON.parse(readFileSync(lakePath, 'utf8'));

const units = ['year', 'month', 'day', 'hour', 'minute'];
const columns = Object.entries(lake.columns)
  .map(([attribute, type]) => ({ attribute, type, name: attribute.toLowerCase().replace(/[^a-z0-9_]/g, '_') }))
  .sort((a, b) => (a.name < b.name ? -1 : 1));
const declared = new Set(columns.map(({ attribute }) => attribute));

function digest(kind, parts) {
  const bytes = [Buffer.from(kind)];
  for (const part of parts) {
    const length = Buffer.alloc(8);
    const text = Buffer.from(part);
    length.writeUInt32BE(text.length, 4);
    bytes.push(length, text);
  }
  return hash('sha256', Buffer.concat(bytes)).slice(0, 32);
}

/** `2026-11-22T07:14:00.5Z` of milliseconds since 1970. */
function rfc3339(milliseconds) {
  return new Date(milliseconds).toISOString().replace(/\.?0*Z$/, 'Z');
}

function sqlTimestamp(milliseconds) {
  return rfc3339(milliseconds).replace('T', ' ').slice(0, -1);
}

/** How `JSON.stringify` writes the sets that `unmarshall` makes. A replacer would be asked for every member. */
Set.prototype.toJSON = function toJSON() {
  return [...this].sort();
};

/** The text of a value in a column, and its kind; undefined where it does not fit. */
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
      return Number.isNaN(milliseconds) ? undefined : ['t', sqlTimestamp(milliseconds), rfc3339(milliseconds) === value];
    }
    default:
      return typeof value === 'number' ? ['n', String(value)] : undefined;
  }
}

function row(record) {
  const { eventName, eventID, eventSourceARN, dynamodb, userIdentity } = record;
  const item = unmarshall(eventName === 'REMOVE' ? dynamodb.OldImage : dynamodb.NewImage);
  const line = {
    _op: eventName,
    _event_id: digest('change', [eventSourceARN, eventID, dynamodb.SequenceNumber]),
    _sequence: dynamodb.SequenceNumber.padStart(40, '0'),
    _changed_at: sqlTimestamp(dynamodb.ApproximateCreationDateTime * 1000),
  };
  if (userIdentity?.principalId === 'dynamodb.amazonaws.com') line._removed_by = 'ttl';
  line.id = item.id;
  line.sk = item.sk;
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
  if (types !== '') line._types = types;
  if (Object.keys(renamed).length > 0) line._attributes = JSON.stringify(renamed);
  Object.assign(line, cells);
  if (Object.keys(extra).length > 0) line._extra = JSON.stringify(extra);
  return { line, partition: partition(item, dynamodb.ApproximateCreationDateTime) };
}

function escaped(text) {
  return String(text).replace(/[\u0000-\u001f\u007f"#%'*/:=?\\{[\]^]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

function partition(item, second) {
  const { attributes = [], time } = lake.partition;
  const folders = attributes.map((name) => {
    const value = item[name];
    const isMissing = value === undefined || value === null || value === '' || typeof value === 'object';
    return `${escaped(name)}=${isMissing ? '__HIVE_DEFAULT_PARTITION__' : escaped(value)}`;
  });
  if (time) {
    const parts = new Date(second * 1000).toISOString().split(/[-T:.]/);
    for (const [index, unit] of units.slice(0, units.indexOf(time.unit) + 1).entries()) {
      folders.push(`${unit}=${parts[index]}`);
    }
  }
  return folders.join('/');
}

function grouped() {
  const groups = new Map();
  for (const record of JSON.parse(bytes.toString('utf8')).Records) {
    const { line, partition } = row(record);
    const group = groups.get(partition);
    if (group === undefined) groups.set(partition, [line]);
    else group.push(line);
  }
  return groups;
}

function files() {
  const written = [];
  for (const [partition, rows] of grouped()) {
    let first = rows[0]._sequence;
    let last = first;
    for (const { _sequence } of rows) {
      if (_sequence < first) first = _sequence;
      if (_sequence > last) last = _sequence;
    }
    const id = digest('raw file', rows.map(({ _event_id }) => _event_id));
    const key = `raw/${lake.table}/${partition}/${first}-${last}-${id}.json.gz`;
    written.push({ key, body: gzipSync(lines(rows), { level: 6 }) });
  }
  return written;
}

function lines(rows) {
  return rows.map((line) => `${JSON.stringify(line)}\n`).join('');
}

if (option === '--write-output') {
  for (const [partition, rows] of grouped()) {
    mkdirSync(join(value, partition), { recursive: true });
    writeFileSync(join(value, partition, 'rows.json'), lines(rows));
  }
} else {
  const iterations = Number(value);
  for (let warmUp = 0; warmUp < iterations / 5; warmUp += 1) files();
  const before = process.cpuUsage();
  let written;
  for (let iteration = 0; iteration < iterations; iteration += 1) written = files();
  const { user, system } = process.cpuUsage(before);
  const records = JSON.parse(bytes.toString('utf8')).Records.length * iterations;
  const size = written.reduce((sum, { body }) => sum + body.length, 0);
  console.log(JSON.stringify({ recordsPerCpuSecond: records / ((user + system) / 1e6), bytes: size, files: written.length }));
}
