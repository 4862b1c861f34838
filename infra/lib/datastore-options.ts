import { z } from 'zod';
import { scheduleExpression } from './schedule-expression.ts';

/** SQS delays a message by at most 15 minutes (SQS developer guide, "Amazon SQS delay queues"). */
const longestDelaySeconds = 900;

/** HealthLake's queue of exports belongs to the account: a job may wait a day for those of others, or two. */
const longestExportSeconds = 2 * 24 * 60 * 60;

/** How long the ranges of one export may take to be published, retries included. */
export const publishLimitSeconds = 24 * 60 * 60;

/** The longest run, with a day to look at what it left. */
export const leastExportRetentionDays = Math.ceil((longestExportSeconds + publishLimitSeconds) / (24 * 60 * 60)) + 1;

const scopeOptions = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('system') }),
  z.strictObject({ kind: z.literal('patient') }),
  z.strictObject({
    kind: z.literal('group'),
    /** The id of the Group resource. */
    groupId: z.string().regex(/^[A-Za-z0-9.-]{1,64}$/, 'expected an id: up to 64 of A-Z, a-z, 0-9, . and -'),
  }),
]);

export const pollOptions = z.strictObject({
  firstDelaySeconds: z.int().min(1).max(longestDelaySeconds).default(10),
  /** The delay grows up to this. */
  longestDelaySeconds: z.int().min(1).max(longestDelaySeconds).default(120),
  /** How long a job may run, from when HealthLake has begun with it, until it is cancelled. */
  runningLimitSeconds: z.int().min(1).max(longestExportSeconds).default(21_600),
});

export const datastoreOptions = z
  .strictObject({
    /** The datastore to export from; without it, the stack creates one, which HealthLake bills by the hour. */
    datastoreId: z
      .string()
      .regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits in lower case')
      .optional(),
    /** When a run starts. */
    schedule: scheduleExpression.default('rate(15 minutes)'),
    /** False leaves the starting to operators. */
    scheduleEnabled: z.boolean().default(true),
    /** Which resources are exported: all, those of all patients, or those of a group's patients. */
    scope: scopeOptions.default({ kind: 'system' }),
    /** None means all; name them where some are enough, because HealthLake bills what it exports. */
    resourceTypes: z
      .array(z.string().regex(/^[A-Z][A-Za-z]+$/, 'expected a FHIR resource type such as Patient'))
      .default([]),
    /** Only resources that have all of these tags. */
    tags: z.array(z.string().regex(/^[^\s|,]+\|[^\s|,]+$/, 'expected system|code')).default([]),
    /** How far a window reaches back into the one before: clocks that disagree, and writes that become visible late. */
    overlapSeconds: z.int().min(0).max(86_400).default(120),
    /** For how long a run has the datastore to itself after it last said that it lives. */
    leaseSeconds: z.int().min(10).max(43_200).default(900),
    /** How many bytes of the exported files one publisher takes. */
    rangeBytes: z
      .int()
      .min(1_024)
      .max(256 * 1_048_576)
      .default(64 * 1_048_576),
    /**
     * How many publishers work at once. Eight can ask for more than a new account's quota of PutEvents, which the changes
     * share (docs/scale.md).
     */
    publishConcurrency: z.int().min(1).max(100).default(8),
    poll: pollOptions.prefault({}),
    /**
     * How long an export may go without a sign of life from starter or poller. What fails there is tried again after 90 s.
     */
    heartbeatSeconds: z.int().min(5).max(longestExportSeconds).default(600),
    /** How long an export may take in all, the time in HealthLake's queue included. */
    exportTimeoutSeconds: z.int().min(10).max(longestExportSeconds).default(86_400),
  })
  .superRefine(({ poll, leaseSeconds, heartbeatSeconds, exportTimeoutSeconds }, context) => {
    const expect = (isTrue: boolean, path: string[], message: string) => {
      if (!isTrue) context.addIssue({ code: 'custom', path, message });
    };
    expect(
      poll.firstDelaySeconds <= poll.longestDelaySeconds,
      ['poll', 'firstDelaySeconds'],
      'expected at most poll.longestDelaySeconds, up to which the delay grows',
    );
    expect(
      heartbeatSeconds > 2 * poll.longestDelaySeconds,
      ['heartbeatSeconds'],
      'expected more than twice poll.longestDelaySeconds: each poll is one sign of life, and one that fails must not ' +
        'end the run',
    );
    expect(
      leaseSeconds > poll.longestDelaySeconds,
      ['leaseSeconds'],
      'expected more than poll.longestDelaySeconds: a poll extends the lease, and between two of them another run ' +
        'could take it',
    );
    expect(
      exportTimeoutSeconds > heartbeatSeconds,
      ['exportTimeoutSeconds'],
      'expected more than heartbeatSeconds: Step Functions takes no heartbeat that is as long as the whole',
    );
    expect(
      exportTimeoutSeconds > poll.runningLimitSeconds,
      ['exportTimeoutSeconds'],
      'expected more than poll.runningLimitSeconds: the poller, which tells why and cancels the job, has to come first',
    );
  });

/** The options of one datastore, validated and complete. */
export type DatastoreOptions = Readonly<z.output<typeof datastoreOptions>>;

/** By the names that the deployer gives them. */
export const datastoresOptions = z
  .record(z.string(), datastoreOptions)
  .default({})
  .superRefine((datastores, context) => {
    const names = Object.keys(datastores);
    for (const name of names.filter((name) => !/^[a-z][a-z0-9-]{0,19}$/.test(name))) {
      const message = 'expected as its name a lower-case letter, then up to 19 of a-z, 0-9 and -';
      context.addIssue({ code: 'custom', path: [name], message });
    }
    for (const [name, other] of repeated(names, pascalCase)) {
      const message = `expected another name: its outputs would be called as those of ${other}`;
      context.addIssue({ code: 'custom', path: [name], message });
    }
    for (const [name, other] of repeated(names, (name) => datastores[name]?.datastoreId)) {
      const message = `expected another datastore than that of ${other}: a datastore has one lease and one cursor`;
      context.addIssue({ code: 'custom', path: [name, 'datastoreId'], message });
    }
  });

/** Each name whose value an earlier name has as well, and that name. */
function repeated(names: string[], valueOf: (name: string) => string | undefined): [name: string, other: string][] {
  const firstWith = new Map<string, string>();
  return names.flatMap((name) => {
    const value = valueOf(name);
    if (value === undefined) return [];
    const other = firstWith.get(value);
    if (other === undefined) firstWith.set(value, name);
    return other === undefined ? [] : [[name, other] satisfies [string, string]];
  });
}

/** `care-records` to `CareRecords`. */
export function pascalCase(name: string): string {
  return name
    .split('-')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}
