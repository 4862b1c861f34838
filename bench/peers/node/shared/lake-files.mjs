// Stream records to one compressed file for each partition.

import { gzipSync } from 'node:zlib';
import { columnsOf, rowOf } from './lake-row.mjs';

/** zlib's default. */
const GZIP_LEVEL = 6;

/** From the bytes of Lambda's batch to the files. Node.js 20 has no zstd. */
export function fileWriter(lake, means) {
  const columns = columnsOf(lake);
  return (bytes) => {
    const { Records } = JSON.parse(bytes.toString('utf8'));
    const rows = Records.map((record) => rowOf(record, columns, lake, means));
    return [...byPartition(rows)].map(([partition, rows]) => ({
      partition,
      key: objectKey(lake.table, partition, rows, means),
      body: gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join(''), { level: GZIP_LEVEL }),
    }));
  };
}

function byPartition(rows) {
  const groups = new Map();
  for (const { partition, row } of rows) {
    const group = groups.get(partition);
    if (group === undefined) groups.set(partition, [row]);
    else group.push(row);
  }
  return groups;
}

/** The same rows have the same key, so that a batch that comes again writes no second file. */
function objectKey(table, partition, rows, { digest }) {
  let first = rows[0]._sequence;
  let last = first;
  for (const { _sequence } of rows) {
    if (_sequence < first) first = _sequence;
    if (_sequence > last) last = _sequence;
  }
  const id = digest('raw file', rows.map(({ _event_id }) => _event_id));
  return `raw/${table}/${partition}/${first}-${last}-${id}.json.gz`;
}
