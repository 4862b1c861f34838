import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import { EnvironmentVariable } from './environment-variables.ts';
import type { ItemRouter } from './item-router.ts';
import { RustFunction } from './rust-function.ts';
import type { StreamEnricher } from './stream-enricher.ts';

export interface DeadLetterReplayerProps extends Deployment {
  readonly deadLetters: DeadLetters;
  readonly enricher: StreamEnricher;
  readonly router: ItemRouter;
}

/** Sends dead letters through enricher and router again. Nothing triggers it: an operator invokes it. */
export class DeadLetterReplayer extends RustFunction {
  constructor(scope: Construct, id: string, props: DeadLetterReplayerProps) {
    super(scope, id, {
      ...props,
      binaryName: 'dead-letter-replayer',
      timeout: Duration.minutes(15),
      memorySize: 512,
      environment: {
        [EnvironmentVariable.deadLetterBucketName]: props.deadLetters.bucket.bucketName,
        [EnvironmentVariable.enricherFunctionName]: props.enricher.function.functionName,
        [EnvironmentVariable.routerFunctionName]: props.router.function.functionName,
      },
    });
    props.deadLetters.grantReplay(this.role);
    props.enricher.grantInvoke(this.role);
    props.router.grantInvoke(this.role);
  }
}
