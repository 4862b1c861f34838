import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { ClaimCheck } from './claim-check.ts';
import type { Deployment } from './deployment.ts';
import { EnvironmentVariable } from './environment-variables.ts';
import type { ItemsTable } from './items-table.ts';
import { RustFunction } from './rust-function.ts';

export interface StreamEnricherProps extends Deployment {
  readonly itemsTable: ItemsTable;
  readonly claimCheck: ClaimCheck;
}

/** Turns stream records into change events, with the FHIR resource as it stands. */
export class StreamEnricher extends RustFunction {
  constructor(scope: Construct, id: string, props: StreamEnricherProps) {
    super(scope, id, {
      ...props,
      binaryName: 'stream-enricher',
      timeout: Duration.seconds(60),
      memorySize: 512,
      environment: {
        [EnvironmentVariable.itemsTableName]: props.itemsTable.tableName,
        [EnvironmentVariable.claimCheckBucketName]: props.claimCheck.bucket.bucketName,
        [EnvironmentVariable.codeMaps]: JSON.stringify(props.options.codeMaps),
      },
    });
    props.itemsTable.grantQuery(this.role);
    props.claimCheck.grantDepositChange(this.role);
    props.claimCheck.grantDepositReject(this.role);
  }
}
