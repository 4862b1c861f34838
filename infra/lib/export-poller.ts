import type { Construct } from 'constructs';
import type { Datastore } from './datastore.ts';
import type { Deployment } from './deployment.ts';
import { EnvironmentVariable, healthLakeEndpoint } from './environment-variables.ts';
import type { ExportBucket } from './export-bucket.ts';
import type { ExportRunsTable } from './export-runs-table.ts';
import { exportTaskTimeout, type ExportTaskQueue } from './export-task-queue.ts';
import { RustFunction } from './rust-function.ts';

export interface ExportPollerProps extends Deployment {
  readonly datastores: readonly Datastore[];
  readonly runsTable: ExportRunsTable;
  readonly exportBucket: ExportBucket;
  readonly pollQueue: ExportTaskQueue;
}

/** Looks after a run's job until it ends, and lists what it exported. */
export class ExportPoller extends RustFunction {
  constructor(scope: Construct, id: string, props: ExportPollerProps) {
    super(scope, id, {
      ...props,
      binaryName: 'export-poller',
      timeout: exportTaskTimeout,
      memorySize: 512,
      environment: {
        [EnvironmentVariable.exportRunsTableName]: props.runsTable.tableName,
        [EnvironmentVariable.exportBucketName]: props.exportBucket.bucket.bucketName,
        [EnvironmentVariable.pollQueueUrl]: props.pollQueue.queue.queueUrl,
        ...healthLakeEndpoint(props.target),
      },
    });
    props.runsTable.grantAdvance(this.role);
    props.exportBucket.grantInspect(this.role);
    props.exportBucket.grantWriteManifest(this.role);
    props.pollQueue.queue.grantSend(this.role);
    for (const datastore of props.datastores) datastore.grantFollowExport(this.role);
    // A poll takes a moment, and HealthLake gives an account some ten looks at jobs in a second.
    props.pollQueue.drive(this, 5);
  }
}
