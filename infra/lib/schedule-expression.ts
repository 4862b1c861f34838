import { z } from 'zod';

/** When something starts: `rate(…)` or `cron(…)` as EventBridge Scheduler has them, in UTC. */
export const scheduleExpression = z.string().refine(isRecurring, {
  error:
    'expected rate(15 minutes), with a whole number of minutes, hours or days, or cron(0/15 * * * ? *), with ' +
    'six fields, of which the third or the fifth is ?',
});

/** EventBridge Scheduler user guide, "Schedule types in EventBridge Scheduler", without those that start once. */
function isRecurring(schedule: string): boolean {
  if (rateSeconds(schedule) !== undefined) return true;
  const [, fields] = /^cron\(([0-9A-Z*?,/#-]+(?: [0-9A-Z*?,/#-]+){5})\)$/.exec(schedule) ?? [];
  if (fields === undefined) return false;
  const [, , dayOfMonth, , dayOfWeek] = fields.split(' ');
  return dayOfMonth === '?' || dayOfWeek === '?';
}

/** The seconds from one start to the next; absent for a cron expression, whose starts need not be even. */
export function rateSeconds(schedule: string): number | undefined {
  const [, value, unit] = /^rate\(([1-9][0-9]{0,3}) (minute|hour|day)s?\)$/.exec(schedule) ?? [];
  if (value === undefined || unit === undefined) return undefined;
  const secondsOf: Record<string, number> = { minute: 60, hour: 60 * 60, day: 24 * 60 * 60 };
  return Number(value) * (secondsOf[unit] ?? 0);
}
