import { extraColumn } from './lake-columns.ts';
import { declaredColumns, partitionColumns, type LakeOptions } from './lake-options.ts';
import { hasPath, isValue, jsonIn, quoted, textIn } from './lake-sql.ts';
import { tableNames, viewNames } from './lake-views.ts';

/** The table over the files that HealthLake exported, and its one column. */
export const exportedResources = { table: 'exported_resources', column: 'resource' } as const;

export interface NamedQuery {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
}

const changes = quoted(viewNames.changes);
const latest = quoted(viewNames.latest);

/** What operators ask of the lake. Each runs in Athena and in DuckDB alike. */
export function namedQueries(options: LakeOptions): readonly NamedQuery[] {
  const partitions = partitionColumns(options);
  const partition = partitions.map(({ name }) => quoted(name)).join(', ');
  const isDefault = partitions
    .map(({ name }) => `${quoted(name)} IS NULL OR ${quoted(name)} = '__HIVE_DEFAULT_PARTITION__'`)
    .join('\n   OR ');
  const kinds = partitions.filter(({ attribute }) => attribute !== undefined && hasPath(attribute));
  const kind = kinds.map(({ name }) => `${quoted(name)}, `).join('');
  const groupedByKind = kinds.length === 0 ? '' : `\nGROUP BY ${kinds.map(({ name }) => quoted(name)).join(', ')}`;
  return [
    {
      name: 'changes-of-a-key',
      description: 'What became of one item, from its first change to its last; put in its key',
      sql: `SELECT * FROM ${changes}\nWHERE "id" = 'PATIENT#1' AND "sk" = 'PATIENT#1'\nORDER BY "_sequence"`,
    },
    {
      name: 'latest-by-type',
      description: 'How many items of each type there are, and when the latest of them changed',
      sql:
        `SELECT ${kind}count(*) AS "items", max("_changed_at") AS "last_changed_at" FROM ${latest}` +
        `${groupedByKind}\nORDER BY "items" DESC`,
    },
    {
      name: 'rows-per-partition',
      description: 'How many changes each partition holds, every one counted once',
      sql:
        `SELECT ${partition}, count(*) AS "changes" FROM ${changes}\nGROUP BY ${partition}\nORDER BY ${partition}`,
    },
    {
      name: 'default-partition',
      description: 'Changes without a value, or with an unreadable one, to be divided by',
      sql:
        `SELECT ${partition}, "_op", count(*) AS "changes", max("_changed_at") AS "last_changed_at" FROM ${changes}\n` +
        `WHERE ${isDefault}\nGROUP BY ${partition}, "_op"\nORDER BY "changes" DESC`,
    },
    {
      name: 'late-rows',
      description:
        'Raw rows that are not compacted yet; in an old partition they came late. Reads all that is raw, and the event ids ' +
        'of what is compacted in the same partitions, or in all partitions if Athena does not narrow the join to them',
      sql: lateRows(options),
    },
    {
      name: 'misfits',
      description:
        'How many values are of another type than was declared, and values in files that are older than the column',
      sql: misfits(options),
    },
  ];
}

/**
 * Raw rows whose change no compacted file of their partition has. The ids of all partitions would be more to read each month
 * than the last. A right join leaves unread those partitions that are not on its right side, by `=` and by `IS NOT DISTINCT
 * FROM` (Trino documentation, "Dynamic filtering"), and has that side in memory, which is the smaller; Athena, which is made
 * of Trino, promises nothing of it. The default partition is NULL, and `=` would not find it.
 */
function lateRows(options: LakeOptions): string {
  const names = partitionColumns(options).map(({ name }) => quoted(name));
  const partition = names.map((name) => `r.${name}`).join(', ');
  const isSame = names.map((name) => `c.${name} IS NOT DISTINCT FROM r.${name}`).join(' AND ');
  return [
    `SELECT ${partition}, count(DISTINCT r."_event_id") AS "changes", min(r."_changed_at") AS "first_changed_at"`,
    `FROM ${quoted(tableNames.compact)} c RIGHT JOIN ${quoted(tableNames.raw)} r`,
    `ON c."_event_id" = r."_event_id" AND ${isSame}`,
    'WHERE c."_event_id" IS NULL',
    `GROUP BY ${partition}`,
    'ORDER BY "first_changed_at"',
  ].join('\n');
}

/**
 * How often each declared attribute is in `_extra` and not in its column. A null is kept there as well, and is no misfit. Of
 * a file that is older than the column, all its values are there. An attribute that no path can name is left out.
 */
function misfits(options: LakeOptions): string {
  const counts = declaredColumns(options)
    .filter(({ attribute }) => hasPath(attribute))
    .map(({ attribute, name }) => {
      const isMisfit = `${quoted(name)} IS NULL AND ${isValue(jsonIn(extraColumn, attribute))}`;
      return `,\n  count(CASE WHEN ${isMisfit} THEN 1 END) AS ${quoted(name)}`;
    });
  return `SELECT count(*) AS "changes"${counts.join('')}\nFROM ${changes}`;
}

/**
 * The lake beside what HealthLake exported: for each patient of the table, how many resources HealthLake has of them, each
 * counted once however often it was exported. All datastores together; what an export did not name is left out, as are files
 * that are older than the export bucket's retention. A subject may be a device or a group as well (FHIR R4, "Observation").
 */
export function resourcesOfPatients(): NamedQuery {
  const { table, column } = exportedResources;
  const text = (...members: string[]) => textIn(column, ...members);
  return {
    name: 'resources-of-patients',
    description:
      'Patients of the table, and how many resources of theirs HealthLake exported; references that are absolute URLs are ' +
      'not followed',
    sql: [
      'SELECT i."id", i."_changed_at", count(r."resource_id") AS "resources", count(DISTINCT r."type") AS "types",',
      '  max(r."last_updated") AS "last_updated"',
      `FROM ${latest} i LEFT JOIN (`,
      '  SELECT "type", "resource_id", "last_updated", "patient" FROM (',
      '    SELECT e.*, row_number() OVER (PARTITION BY "type", "resource_id" ORDER BY "last_updated" DESC) AS "_row" FROM (',
      `      SELECT ${text('resourceType')} AS "type", ${text('id')} AS "resource_id",`,
      `        ${text('meta', 'lastUpdated')} AS "last_updated",`,
      `        CASE WHEN ${text('resourceType')} = 'Patient' THEN 'Patient/' || ${text('id')}`,
      `          ELSE coalesce(${text('subject', 'reference')}, ${text('patient', 'reference')}) END AS "patient"`,
      `      FROM ${quoted(table)}`,
      '    ) e',
      '  ) f WHERE "_row" = 1',
      `) r ON r."patient" LIKE 'Patient/%' AND i."id" = 'PATIENT#' || substr(r."patient", 9)`,
      `WHERE i."id" LIKE 'PATIENT#%' AND i."sk" = i."id"`,
      'GROUP BY i."id", i."_changed_at"',
      'ORDER BY "resources" DESC, i."id"',
    ].join('\n'),
  };
}
