import type { Construct } from 'constructs';
import type { Datastore } from './datastore.ts';
import type { Deployment } from './deployment.ts';
import { EnvironmentVariable, healthLakeEndpoint } from './environment-variables.ts';
import type { ExportBucket } from './export-bucket.ts';
import type { ExportDataRole } from './export-data-role.ts';
import type { ExportRunsTable } from './export-runs-table.ts';
import { exportTaskTimeout, type ExportTaskQueue } from './export-task-queue.ts';
import { RustFunction } from './rust-function.ts';

export interface ExportStarterProps extends Deployment {
  readonly datastores: readonly Datastore[];
  readonly runsTable: ExportRunsTable;
  readonly exportBucket: ExportBucket;
  readonly dataRole: ExportDataRole;
  readonly startQueue: ExportTaskQueue;
  readonly pollQueue: ExportTaskQueue;
}

/** Starts a run's job in HealthLake, or finds it started, and has it polled. */
export class ExportStarter extends RustFunction {
  constructor(scope: Construct, id: string, props: ExportStarterProps) {
    super(scope, id, {
      ...props,
      binaryName: 'export-starter',
      timeout: exportTaskTimeout,
      memorySize: 512,
      environment: {
        [EnvironmentVariable.exportRunsTableName]: props.runsTable.tableName,
        [EnvironmentVariable.exportBucketName]: props.exportBucket.bucket.bucketName,
        [EnvironmentVariable.exportKeyArn]: props.key.keyArn,
        [EnvironmentVariable.dataAccessRoleArn]: props.dataRole.roleArn,
        [EnvironmentVariable.pollQueueUrl]: props.pollQueue.queue.queueUrl,
        ...healthLakeEndpoint(props.target),
      },
    });
    props.runsTable.grantAdvance(this.role);
    props.dataRole.grantPass(this.role);
    props.pollQueue.queue.grantSend(this.role);
    for (const datastore of props.datastores) datastore.grantStartExport(this.role);
    // HealthLake takes some one start a second from an account.
    props.startQueue.drive(this, 2);
  }
}
