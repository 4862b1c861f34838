import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { ChangeBus } from './change-bus.ts';
import type { ClaimCheck } from './claim-check.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import { EnvironmentVariable } from './environment-variables.ts';
import { RustFunction } from './rust-function.ts';

export interface ItemRouterProps extends Deployment {
  readonly changeBus: ChangeBus;
  readonly claimCheck: ClaimCheck;
  readonly deadLetters: DeadLetters;
}

/** Sends changes to the bus, and rejected records to the dead letters. */
export class ItemRouter extends RustFunction {
  constructor(scope: Construct, id: string, props: ItemRouterProps) {
    super(scope, id, {
      ...props,
      binaryName: 'item-router',
      timeout: Duration.seconds(60),
      memorySize: 512,
      environment: {
        [EnvironmentVariable.eventBusName]: props.changeBus.bus.eventBusName,
        [EnvironmentVariable.deadLetterBucketName]: props.deadLetters.bucket.bucketName,
        [EnvironmentVariable.claimCheckBucketName]: props.claimCheck.bucket.bucketName,
        [EnvironmentVariable.rejectsQueueUrl]: props.deadLetters.rejectsQueue.queueUrl,
        [EnvironmentVariable.putEventsRequestBytes]: String(props.options.putEventsRequestBytes),
      },
    });
    props.changeBus.grantPutEvents(this.role);
    props.claimCheck.grantDepositChange(this.role);
    props.claimCheck.grantCollectReject(this.role);
    props.deadLetters.grantDeposit(this.role);
    props.deadLetters.grantReport(this.role);
  }
}
