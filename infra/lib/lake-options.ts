import { z } from 'zod';
import { columnName, columnProblem, typeProblem, type DeclaredColumn } from './lake-columns.ts';
import { scheduleExpression } from './schedule-expression.ts';

/** The first folder below `raw/`, `compact/` and `latest/`: the table whose changes the lake holds. */
export const lakeTable = 'items';

/** The parts of a time, from the coarsest to the finest; each is a folder. */
const units = ['year', 'month', 'day', 'hour', 'minute'] as const;

/**
 * Lambda allows 4 KB for all environment variables of a function (Lambda developer guide, "Lambda quotas"); a quarter
 * is left to the other variables.
 */
const maximumConfigurationBytes = 3072;

/** Of a folder's name; see `domain::lake::partition`, where the object key's 1,024 bytes are shared out. */
const longestFolderName = 48;
const mostAttributes = 4;

/**
 * The attributes of the item types in `crates/domain/src/items`. What is nested is `json`; a date that may be a year alone is
 * `string`; what is declared as something else than it is, such as a partial `effectiveDateTime`, stays in `_extra`.
 */
const columnsOfItemTypes: Record<string, string> = {
  correlationId: 'string',
  ttl: 'timestamp_s',
  status: 'string',
  active: 'boolean',
  // Patient, RelatedPerson
  mrn: 'json',
  identifiers: 'json',
  names: 'json',
  telecom: 'json',
  gender: 'string',
  birthDate: 'string',
  deceased: 'json',
  relationship: 'json',
  // Address
  use: 'string',
  type: 'string',
  line: 'json',
  city: 'string',
  district: 'string',
  state: 'string',
  postalCode: 'string',
  country: 'string',
  // Encounter, and the period of an Address
  class: 'json',
  types: 'json',
  period: 'json',
  // Observation
  code: 'json',
  effectiveDateTime: 'timestamp',
  value: 'decimal(38,9)',
  unit: 'string',
  unitCode: 'string',
};

const timeFrom = z.union(
  [
    z.literal('change'),
    z.strictObject({
      /** An attribute of the item; one that never changes keeps all changes of an item in one partition. */
      attribute: z.string().min(1),
      format: z.enum(['rfc3339', 'seconds', 'milliseconds']),
    }),
  ],
  { error: 'expected "change" or {"attribute": "createdAt", "format": "rfc3339" | "seconds" | "milliseconds"}' },
);

export const lakePartitionOptions = z.strictObject({
  /** Attributes of the item, from the outermost folder on. */
  attributes: z
    .array(z.string())
    .max(mostAttributes, `expected at most ${mostAttributes}, because an object key is short`)
    .default([]),
  /** Then a time, cut to a unit, in UTC. */
  time: z
    .strictObject({
      from: timeFrom.default('change'),
      unit: z.enum(units, { error: `expected one of ${units.join(', ')}` }),
    })
    .nullish()
    .transform((time) => time ?? null),
});

export const lakeOptions = z
  .strictObject({
    /**
     * How the rows are divided into folders, which queries can skip. To be settled before there are rows: the catalog knows
     * one division, and what is there already keeps the old one.
     */
    partition: lakePartitionOptions.prefault({ attributes: ['itemType'], time: { from: 'change', unit: 'day' } }),
    /**
     * Attributes that have a column of their own, and its type, beside those of the item types; the others are in `_extra`. A
     * column can be added at any time; one whose type is to change needs an empty lake, because the files that are there keep
     * the old one. One that is not declared any more is hidden, with all that the files have in it.
     */
    columns: z.record(z.string(), z.string()).default({}),
    /** Whether attributes of the item types have columns without being declared. */
    itemTypeColumns: z.boolean().default(true),
    /** Of the files in `raw/`. */
    compression: z.enum(['zstd', 'gzip']).default('zstd'),
    /**
     * For how long a batch is gathered: the longer, the fewer and larger the files. What the default costs, and why it is not
     * 60 s, is in docs/decisions/0031 and docs/cost-lake.md.
     */
    batchingWindowSeconds: z.int().min(0).max(300).default(120),
    /** Records per batch, at most; 6 MB is the other limit (Lambda API reference, "CreateEventSourceMapping"). */
    batchSize: z.int().min(1).max(10_000).default(10_000),
    /** After which a batch, divided down to the records that cannot be written, is given up to the dead letters. */
    maximumRetryAttempts: z.int().min(0).max(10_000).default(50),
    /** At most what the stream keeps; by default the pipe's half of it. */
    maximumRecordAgeSeconds: z.int().min(60).max(86_400).default(43_200),
    compactionSchedule: scheduleExpression.default('rate(1 hour)'),
    /** How long nothing new may have come to a partition before it is compacted. */
    settleSeconds: z.int().min(0).max(86_400).default(900),
    /**
     * For how long a file stays after others have replaced it. No query may take longer; Athena ends one after 30 minutes
     * unless its quota was raised (Athena user guide, "Service Quotas": DML query timeout). A query of `latest` reads replaced
     * raw files as well, so that a longer time costs more. Above 36 h, the alarm `lake-uncompacted` may fire for a raw file
     * that was delivered again: a plan takes it for one that waits, until the commit that replaced it goes.
     */
    keepReplacedSeconds: z.int().min(60).max(2_592_000).default(21_600),
    /** Into how many folders the current state is divided by key. */
    latestBuckets: z.int().min(1).max(100).default(8),
    /**
     * How many files a folder gathers before they are merged into one, and no more than one for each 64 MB of the compactor's
     * memory, but two at least: of each that is read, a row group of 32 MB lies in the half that `MEMORY_BYTES` is.
     */
    mergeFiles: z.int().min(2).max(1_000).default(8),
    /** How large a compacted file is meant to be. */
    fileBytes: z
      .int()
      .min(1_024)
      .max(1_024 * 1_048_576)
      .default(128 * 1_048_576),
    /** Of the compactor, in MB; a quarter of it holds rows. The default is one whole processor. */
    compactorMemory: z.int().min(512).max(10_240).default(1_769),
    /**
     * Of the compactor, in MB, for the rows of a partition that do not fit into its memory, and for the files of a merge, which
     * reads at most three quarters of it. A folder of `latest/` merges well up to three eighths of it: above, raise
     * `latestBuckets` or this.
     */
    compactorStorage: z.int().min(512).max(10_240).default(10_240),
    /**
     * Deletes history that is older; without it the lake keeps all. The current state stays. It goes by the age of the file: a
     * row that is merged begins anew, so choose a partition with a time where retention is a duty.
     */
    retentionDays: z.int().min(1).optional(),
    /** Moves history that is older to S3 Standard-IA, where S3 takes nothing younger than 30 days. */
    infrequentAccessAfterDays: z.int().min(30).optional(),
    /** How much one query may read; Athena has no limit below 10 MB. */
    scanLimitBytes: z
      .int()
      .min(10_000_000)
      .max(7_000_000_000_000_000)
      .default(100 * 1_073_741_824),
    queryResultRetentionDays: z.int().min(1).default(7),
  })
  .superRefine((lake, context) => {
    const refuse = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const partitions = partitionNames(lake.partition);
    for (const [path, message] of [...partitionProblems(lake.partition), ...columnsProblems(lake.columns, partitions)]) {
      refuse(path, message);
    }
    if (Buffer.byteLength(lakeConfiguration(lake)) > maximumConfigurationBytes) {
      const message =
        `expected at most ${maximumConfigurationBytes} bytes of JSON, partition included, which is what a function's ` +
        'environment can hold';
      refuse(['columns'], message);
    }
    if (lake.retentionDays !== undefined && lake.retentionDays <= (lake.infrequentAccessAfterDays ?? 0)) {
      refuse(['retentionDays'], 'expected more than infrequentAccessAfterDays: S3 moves nothing that it has deleted');
    }
  });

/** The options of the lake, validated and complete. */
export type LakeOptions = Readonly<z.output<typeof lakeOptions>>;

type Partition = z.output<typeof lakePartitionOptions>;

/** The names of the folders, from the outermost to the innermost. */
function partitionNames({ attributes, time }: Partition): string[] {
  return [...attributes, ...(time === null ? [] : units.slice(0, units.indexOf(time.unit) + 1))];
}

/** The columns that tell of a row's folder, and the attribute that each is made from; a part of a time has none. */
export function partitionColumns({ partition }: LakeOptions): readonly { name: string; attribute?: string }[] {
  return partitionNames(partition).map((name, index) => ({
    name: columnName(name),
    attribute: partition.attributes[index],
  }));
}

interface ColumnsOptions {
  readonly partition: Partition;
  readonly columns: Readonly<Record<string, string>>;
  readonly itemTypeColumns: boolean;
}

/** The type of each attribute that has a column: of the item types, but where an option makes one of that name, then the options'. */
function columnTypes({ partition, columns, itemTypeColumns }: ColumnsOptions): Readonly<Record<string, string>> {
  const taken = [...partitionNames(partition), ...Object.keys(columns)].map(columnName);
  const ofItemTypes = Object.entries(itemTypeColumns ? columnsOfItemTypes : {});
  return { ...Object.fromEntries(ofItemTypes.filter(([name]) => !taken.includes(columnName(name)))), ...columns };
}

/** The columns of attributes, in their order. */
export function declaredColumns(options: ColumnsOptions): readonly DeclaredColumn[] {
  const types = Object.entries(columnTypes(options));
  return types.map(([attribute, type]) => ({ attribute, name: columnName(attribute), type }));
}

/** What writer, compactor and backfills are told of the lake: the environment variable `LAKE`. */
export function lakeConfiguration(options: ColumnsOptions): string {
  return JSON.stringify({ table: lakeTable, partition: options.partition, columns: columnTypes(options) });
}

/**
 * What one merge of the compactor reads at most: its inputs lie whole in the temporary storage, and what is written a file at
 * a time.
 */
export function mergeBytes({ compactorStorage }: Pick<LakeOptions, 'compactorStorage'>): number {
  return (compactorStorage * 1_048_576 * 3) / 4;
}

type Problem = [path: string[], message: string];

function partitionProblems(partition: Partition): Problem[] {
  const problems: Problem[] = [];
  const names = partitionNames(partition);
  if (names.length === 0) problems.push([['partition'], 'expected attributes or a time, or both']);
  partition.attributes.forEach((attribute, index) => {
    const path = ['partition', 'attributes', String(index)];
    const problem = columnProblem(attribute);
    const other = names.find((name, position) => position !== index && columnName(name) === columnName(attribute));
    if (problem !== undefined) problems.push([path, problem]);
    else if (Buffer.byteLength(escaped(attribute)) > longestFolderName) {
      problems.push([path, `expected at most ${longestFolderName} bytes in a path, because an object key is short`]);
    } else if (other !== undefined) {
      problems.push([path, `expected another attribute: ${other} has the partition column ${columnName(other)}`]);
    }
  });
  return problems;
}

function columnsProblems(columns: Record<string, string>, partitions: string[]): Problem[] {
  const firstWith = new Map<string, string>();
  return Object.entries(columns).flatMap(([attribute, type]): Problem[] => {
    const name = columnName(attribute);
    const first = firstWith.get(name);
    firstWith.set(name, first ?? attribute);
    const isPartition = partitions.some((partition) => columnName(partition) === name);
    const problem =
      columnProblem(attribute) ??
      (first === undefined ? undefined : `expected one of the two: ${first} has the column ${name} already`) ??
      (isPartition ? `expected no declaration: the rows are divided by the column ${name}` : undefined) ??
      typeProblem(type);
    return problem === undefined ? [] : [[['columns', attribute], problem]];
  });
}

/** As Hive writes a name in a path (Apache Hive, `FileUtils.escapePathName`). */
function escaped(name: string): string {
  const special = /[\u0000-\u001f\u007f"#%'*/:=?\\{[\]^]/g;
  return name.replace(special, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
