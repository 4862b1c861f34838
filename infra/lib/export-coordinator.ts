import { Duration } from 'aws-cdk-lib';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { ChangeBus } from './change-bus.ts';
import type { Datastore } from './datastore.ts';
import type { Deployment } from './deployment.ts';
import type { EncryptedQueue } from './encrypted-queue.ts';
import { EnvironmentVariable, healthLakeEndpoint } from './environment-variables.ts';
import type { ExportBucket } from './export-bucket.ts';
import type { ExportRunsTable } from './export-runs-table.ts';
import { RustFunction } from './rust-function.ts';

export interface ExportCoordinatorProps extends Deployment {
  readonly changeBus: ChangeBus;
  readonly datastores: readonly Datastore[];
  readonly runsTable: ExportRunsTable;
  readonly exportBucket: ExportBucket;
  /** For clean-ups that failed again and again. */
  readonly cleanUpDeadLetterQueue: EncryptedQueue;
}

/** Takes the lease for a run, commits it, fails it or cleans up after it, and tells the bus. */
export class ExportCoordinator extends RustFunction {
  constructor(scope: Construct, id: string, props: ExportCoordinatorProps) {
    super(scope, id, {
      ...props,
      binaryName: 'export-coordinator',
      // A commit reads a small object for each range of the run, of which there may be thousands.
      timeout: Duration.minutes(5),
      memorySize: 512,
      environment: {
        [EnvironmentVariable.exportRunsTableName]: props.runsTable.tableName,
        [EnvironmentVariable.exportBucketName]: props.exportBucket.bucket.bucketName,
        [EnvironmentVariable.eventBusName]: props.changeBus.bus.eventBusName,
        ...healthLakeEndpoint(props.target),
      },
    });
    props.runsTable.grantDecide(this.role);
    props.exportBucket.grantReadResults(this.role);
    props.changeBus.grantPutEvents(this.role);
    for (const datastore of props.datastores) datastore.grantCancelExport(this.role);

    // The state machines wait for their answer; a clean-up is asked for by a rule, and nobody waits. Lambda tries such an
    // invocation twice again, one and two minutes later, and longer where it is throttled (Lambda developer guide, "How
    // Lambda handles errors and retries with asynchronous invocation").
    const { cleanUpDeadLetterQueue } = props;
    cleanUpDeadLetterQueue.grantSend(this.role);
    this.function.configureAsyncInvoke({
      retryAttempts: 2,
      maxEventAge: Duration.hours(6),
      // The stock destination for queues would grant the key without the condition on SQS.
      onFailure: { bind: () => ({ destination: cleanUpDeadLetterQueue.queueArn }) } satisfies lambda.IDestination,
    });
  }
}
