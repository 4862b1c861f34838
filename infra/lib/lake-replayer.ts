import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import { EnvironmentVariable } from './environment-variables.ts';
import type { LakeWriter } from './lake-writer.ts';
import { RustFunction } from './rust-function.ts';

export interface LakeReplayerProps extends Deployment {
  readonly deadLetters: DeadLetters;
  readonly writer: LakeWriter;
}

/** Sends what did not get into the lake through its writer again. Nothing triggers it: an operator invokes it. */
export class LakeReplayer extends RustFunction {
  constructor(scope: Construct, id: string, props: LakeReplayerProps) {
    super(scope, id, {
      ...props,
      binaryName: 'lake-replayer',
      timeout: Duration.minutes(15),
      memorySize: 512,
      environment: {
        [EnvironmentVariable.deadLetterBucketName]: props.deadLetters.bucket.bucketName,
        [EnvironmentVariable.lakeWriterFunctionName]: props.writer.function.functionName,
      },
    });
    props.deadLetters.grantReplayOfLake(this.role);
    props.writer.grantInvoke(this.role);
  }
}
