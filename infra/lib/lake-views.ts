import { allColumns, extraColumn, sqlType, type LakeColumn } from './lake-columns.ts';
import { declaredColumns, partitionColumns, type LakeOptions } from './lake-options.ts';
import { hasPath, quoted, textIn } from './lake-sql.ts';

/** The tables over the lake's files. The views refer to them by these names. */
export const tableNames = {
  raw: 'raw',
  rawUnpartitioned: 'raw_unpartitioned',
  compact: 'compact',
  latestCompact: 'latest_compact',
} as const;

export const viewNames = { changes: 'changes', latest: 'latest' } as const;

/** A view: the columns that it has, and its statement, which runs in Athena and in DuckDB alike. */
export interface LakeView {
  readonly columns: readonly LakeColumn[];
  readonly sql: string;
}

/**
 * Every change once. Redelivered changes and those that are both raw and compact share their `_event_id` and their
 * partition. The partition's columns are part of the window, so that Athena can push a condition on them through it and
 * read those partitions alone.
 */
export function changesView(options: LakeOptions): LakeView {
  const columns = allColumns(declaredColumns(options));
  const partitions = partitionColumns(options).map(({ name }) => ({ name, type: 'string' }));
  const names = [...columns, ...partitions].map(({ name }) => quoted(name)).join(', ');
  const window = [...partitions.map(({ name }) => quoted(name)), '"_event_id"'].join(', ');
  const sql = [
    `SELECT ${names} FROM (`,
    `SELECT u.*, row_number() OVER (PARTITION BY ${window} ORDER BY "_sequence") AS "_row" FROM (`,
    `SELECT ${names} FROM ${quoted(tableNames.compact)}`,
    'UNION ALL',
    `SELECT ${[...columns, ...partitions].map(fromText).join(', ')} FROM ${quoted(tableNames.raw)}`,
    ') u) v WHERE "_row" = 1',
  ].join('\n');
  return { columns: [...columns, ...partitions], sql };
}

/**
 * Every item as it stands. What was removed is among the rows as such, so that no older row of the key takes its place. The
 * attributes that the rows are divided by have no column in the files of the current state; they are taken out of `_extra`,
 * NULL where a partition's would be.
 */
export function latestView(options: LakeOptions): LakeView {
  const columns = allColumns(declaredColumns(options));
  const partitions = partitionColumns(options).flatMap(({ name, attribute }) =>
    attribute === undefined || !hasPath(attribute) ? [] : [{ name, type: 'string', attribute }],
  );
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  const attributes = partitions.map(
    ({ name, attribute }) => `${textIn(extraColumn, attribute)} AS ${quoted(name)}`,
  );
  const sql = [
    `SELECT ${[names, ...attributes].join(', ')} FROM (`,
    'SELECT u.*, row_number() OVER (PARTITION BY "id", "sk" ORDER BY "_sequence" DESC, "_event_id" DESC) AS "_row" FROM (',
    `SELECT ${names} FROM ${quoted(tableNames.latestCompact)}`,
    'UNION ALL',
    `SELECT ${columns.map(fromText).join(', ')} FROM ${quoted(tableNames.rawUnpartitioned)}`,
    `) u) v WHERE "_row" = 1 AND "_op" <> 'REMOVE'`,
  ].join('\n');
  return { columns: [...columns, ...partitions.map(({ name, type }) => ({ name, type }))], sql };
}

/** A column of the raw tables, whose values are all text, as the type that it is declared as. */
function fromText({ name, type }: LakeColumn): string {
  const target = sqlType(type);
  return target === 'varchar' ? quoted(name) : `CAST(${quoted(name)} AS ${target}) AS ${quoted(name)}`;
}
