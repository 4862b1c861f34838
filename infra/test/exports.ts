import { synthesize, type Synthesized } from './synthesize.ts';

/** A datastore of the stack's own, with every default, and one that is there already. */
export const datastores = {
  clinic: {},
  'care-records': {
    datastoreId: '0123456789abcdef0123456789abcdef',
    schedule: 'cron(0 3 * * ? *)',
    scope: { kind: 'group', groupId: 'diabetes' },
    resourceTypes: ['Patient', 'Observation'],
    tags: ['http://example.org/tags|research'],
    publishConcurrency: 3,
    heartbeatSeconds: 300,
    exportTimeoutSeconds: 7_200,
    poll: { runningLimitSeconds: 3_600 },
  },
};

/** The two templates with these datastores. */
export const awsExports: Synthesized = synthesize({ target: 'aws', options: { datastores } });
export const localExports: Synthesized = synthesize({ target: 'local', options: { datastores } });
