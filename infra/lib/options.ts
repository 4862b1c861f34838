import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { datastoreOptions, datastoresOptions, leastExportRetentionDays, pollOptions } from './datastore-options.ts';
import { DeployerError } from './deployer-error.ts';
import { lakeOptions, lakePartitionOptions } from './lake-options.ts';
import { targetNamed, targetNames, type TargetName } from './target.ts';

/** A DynamoDB stream forgets a record after 24 hours (DynamoDB developer guide, "Change data capture"). */
export const streamRetentionSeconds = 24 * 60 * 60;

/**
 * Lambda allows 4 KB for all environment variables of a function (Lambda developer guide, "Lambda quotas"); a quarter
 * is left to the other variables.
 */
const maximumCodeMapsBytes = 3072;

const logRetentions = Object.values(RetentionDays).filter(
  (days): days is RetentionDays => typeof days === 'number' && days !== RetentionDays.INFINITE,
);

const pipeOptions = z.strictObject({
  /**
   * Records per batch. AWS allows 10,000; the enricher keeps up to two pages of a query, of 1 MB each, of every patient in a
   * batch, and has 512 MB (I7). The other bounds of `pipe` are AWS's (EventBridge API reference,
   * "PipeSourceDynamoDBStreamParameters").
   */
  batchSize: z.int().min(1).max(200).default(100),
  batchingWindowSeconds: z.int().min(0).max(300).default(1),
  maximumRetryAttempts: z.int().min(0).max(10_000).default(50),
  /** At most half of what the stream keeps: the rescuer needs the other half to read what the pipe gave up. */
  maximumRecordAgeSeconds: z
    .int()
    .min(60)
    .max(streamRetentionSeconds / 2)
    .default(streamRetentionSeconds / 2),
  parallelizationFactor: z.int().min(1).max(10).default(1),
  /** Event patterns, at most five per pipe (EventBridge user guide, "Pipes quotas"). None drops nothing. */
  filterPatterns: z.array(z.record(z.string(), z.unknown())).max(5).default([]),
});

/** What has to be well-formed before the retentions can be compared; other faults are reported beside. */
const retentions = z.looseObject({
  archiveRetentionDays: z.int(),
  claimCheckRetentionDays: z.int(),
  deadLetterRetentionDays: z.int(),
  queueRetentionDays: z.int(),
});

const optionsSchema = z
  .strictObject({
    /** Receives the alarms, once it has confirmed the subscription. */
    alarmEmail: z.email().optional(),
    /** What happens to stored data when the stack is deleted. The target decides where this says nothing. */
    removalPolicy: z.enum(['retain', 'destroy']).optional(),
    /** How long an event can be replayed from the archive. */
    archiveRetentionDays: z.int().min(1).default(14),
    /** Two weeks in the archive and two in a queue, and a little more. */
    claimCheckRetentionDays: z.int().min(1).default(30),
    /** A quarter of a year in which a team can notice, mend and replay what was rejected. */
    deadLetterRetentionDays: z.int().min(1).default(90),
    /** Exported files, manifests and results of exports. The longest run must still find its own. */
    exportRetentionDays: z.int().min(leastExportRetentionDays).default(30),
    /** At most what SQS keeps: 14 days (SQS developer guide, "Amazon SQS message quotas"). */
    queueRetentionDays: z.int().min(1).max(14).default(14),
    logRetentionDays: z
      .literal(logRetentions, { error: `expected one of ${logRetentions.join(', ')}` })
      .default(RetentionDays.ONE_YEAR),
    pipe: pipeOptions.prefault({}),
    /** Where every change of the table ends, to be queried. */
    lake: lakeOptions.prefault({}),
    /** HealthLake datastores to export from, by a name of one's own. None deploys nothing of the exports. */
    datastores: datastoresOptions,
    /** Per element (`gender`, `address.use`), the FHIR code for each stored code. */
    codeMaps: z
      .record(z.string(), z.record(z.string(), z.string()))
      .default({})
      .refine((codeMaps) => Buffer.byteLength(JSON.stringify(codeMaps)) <= maximumCodeMapsBytes, {
        error: `expected at most ${maximumCodeMapsBytes} bytes of JSON, which is what a function's environment can hold`,
      }),
    /**
     * The size limit of one PutEvents request. The API reference says 1 MB, other pages of AWS still 256 KB, hence the
     * cautious default.
     */
    putEventsRequestBytes: z.int().min(65_536).max(1_048_576).default(262_144),
    /** Where the built functions of a local deployment lie. */
    functionsDirectory: z.string().min(1).optional(),
    /** False makes templates to look at, on a machine without cargo-lambda. They cannot be deployed to AWS. */
    buildFunctions: z.boolean().default(true),
  })
  .refine((days) => days.claimCheckRetentionDays >= days.archiveRetentionDays + days.queueRetentionDays, {
    path: ['claimCheckRetentionDays'],
    error:
      'expected at least archiveRetentionDays + queueRetentionDays: an event that is replayed on the last day of the ' +
      'archive may wait in a queue for as long as the queue keeps it, and its object must still be there',
    when: ({ value }) => retentions.safeParse(value).success,
  })
  .refine((days) => days.deadLetterRetentionDays > Math.max(days.archiveRetentionDays, days.queueRetentionDays), {
    path: ['deadLetterRetentionDays'],
    error:
      'expected more than archiveRetentionDays and than queueRetentionDays: a change that was rejected is not in the ' +
      'archive, its dead letter is the only copy, and the message in the rejects queue refers to it',
    when: ({ value }) => retentions.safeParse(value).success,
  });

const environmentName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,15}$/, 'expected a lower-case letter, then up to 15 of a-z, 0-9 and -');

/** The options of one deployment, validated and complete. */
export type Options = Readonly<
  Omit<z.output<typeof optionsSchema>, 'removalPolicy'> & {
    environment: string;
    target: TargetName;
    removalPolicy: 'retain' | 'destroy';
  }
>;

/** What the deployer said, before validation: the values of the CDK context, and where the environments' files are. */
export interface OptionsSource {
  readonly environment?: unknown;
  readonly target?: unknown;
  /** JSON that is merged over the environment's file. */
  readonly options?: unknown;
  readonly environmentsDirectory?: string;
}

const defaultEnvironmentsDirectory = fileURLToPath(new URL('../environments', import.meta.url));

/**
 * Reads `environments/<environment>.json`, merges the context over it, and validates the whole. The error names every
 * option that is wrong, and what is allowed in its place.
 */
export function loadOptions(source: OptionsSource): Options {
  const problems: string[] = [];
  const environment = environmentName.safeParse(source.environment ?? 'dev');
  const target = z.enum(targetNames).safeParse(source.target ?? 'aws');
  if (!environment.success) problems.push(...describe(environment.error, ['environment']));
  if (!target.success) problems.push(...describe(target.error, ['target']));

  const directory = source.environmentsDirectory ?? defaultEnvironmentsDirectory;
  const fromFile = environment.success
    ? readEnvironmentFile(join(directory, `${environment.data}.json`), problems)
    : {};
  const fromContext =
    source.options === undefined ? {} : parseJson(String(source.options), 'context "options"', problems);
  const options = optionsSchema.safeParse(merge(fromFile, fromContext));
  if (!options.success) problems.push(...describe(options.error, []));

  if (!environment.success || !target.success || !options.success || problems.length > 0) {
    throw new DeployerError(['the options of the deployment are wrong:', ...problems].join('\n  '));
  }
  return {
    ...options.data,
    environment: environment.data,
    target: target.data,
    removalPolicy: options.data.removalPolicy ?? targetNamed(target.data, {}).defaultRemovalPolicy,
  };
}

function readEnvironmentFile(path: string, problems: string[]): unknown {
  return existsSync(path) ? parseJson(readFileSync(path, 'utf8'), path, problems) : {};
}

function parseJson(text: string, origin: string, problems: string[]): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    problems.push(`${origin}: not JSON: ${(error as Error).message}`);
    return {};
  }
}

/** Objects are merged key by key; anything else, an array too, is replaced. */
function merge(base: unknown, override: unknown): unknown {
  if (!isObject(base) || !isObject(override)) return override;
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(override)) {
    merged[key] = key in base ? merge(base[key], value) : value;
  }
  return merged;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(error: z.ZodError, prefix: readonly string[]): string[] {
  return error.issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path.map(String)];
    if (issue.code !== 'unrecognized_keys') return [`${path.join('.') || 'options'}: ${issue.message}`];
    const allowed = allowedAt(path).join(', ');
    return issue.keys.map((key) => `${[...path, key].join('.')}: unknown; allowed are ${allowed}`);
  });
}

/** The names of the options that an object among the options may have. */
function allowedAt([first, second, ofDatastore]: readonly string[]): string[] {
  if (first === undefined) return Object.keys(optionsSchema.shape);
  if (first === 'pipe') return Object.keys(pipeOptions.shape);
  if (first === 'lake' && second === undefined) return Object.keys(lakeOptions.shape);
  if (first === 'lake') return ofDatastore === 'time' ? ['from', 'unit'] : Object.keys(lakePartitionOptions.shape);
  if (ofDatastore === 'poll') return Object.keys(pollOptions.shape);
  if (ofDatastore === 'scope') return ['kind', 'for a group groupId'];
  return Object.keys(datastoreOptions.shape);
}
