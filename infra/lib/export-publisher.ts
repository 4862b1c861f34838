import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { ChangeBus } from './change-bus.ts';
import type { ClaimCheck } from './claim-check.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import { EnvironmentVariable } from './environment-variables.ts';
import type { ExportBucket } from './export-bucket.ts';
import type { ExportRunsTable } from './export-runs-table.ts';
import { RustFunction } from './rust-function.ts';

export interface ExportPublisherProps extends Deployment {
  readonly changeBus: ChangeBus;
  readonly claimCheck: ClaimCheck;
  readonly deadLetters: DeadLetters;
  readonly runsTable: ExportRunsTable;
  readonly exportBucket: ExportBucket;
}

/** Sends the resources of one range of an exported file to the bus. */
export class ExportPublisher extends RustFunction {
  constructor(scope: Construct, id: string, props: ExportPublisherProps) {
    super(scope, id, {
      ...props,
      binaryName: 'export-publisher',
      timeout: Duration.minutes(15),
      // One whole processor (Lambda developer guide, "Configure Lambda function memory"). A range is parsed and signed,
      // which is processor time; the memory itself is hardly used (I7).
      memorySize: 1769,
      environment: {
        [EnvironmentVariable.exportRunsTableName]: props.runsTable.tableName,
        [EnvironmentVariable.exportBucketName]: props.exportBucket.bucket.bucketName,
        [EnvironmentVariable.eventBusName]: props.changeBus.bus.eventBusName,
        [EnvironmentVariable.putEventsRequestBytes]: String(props.options.putEventsRequestBytes),
        [EnvironmentVariable.claimCheckBucketName]: props.claimCheck.bucket.bucketName,
        [EnvironmentVariable.deadLetterBucketName]: props.deadLetters.bucket.bucketName,
      },
    });
    props.runsTable.grantAdvance(this.role);
    props.exportBucket.grantPublish(this.role);
    props.changeBus.grantPutEvents(this.role);
    props.claimCheck.grantDepositResource(this.role);
    props.deadLetters.grantDepositLine(this.role);
  }
}
