import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { removalPolicy, type Deployment } from './deployment.ts';

export interface EncryptedLogGroupProps extends Deployment {
  readonly logGroupName: string;
}

/** A log group under the deployment's key, which keeps its events as long as the options say. */
export class EncryptedLogGroup extends logs.LogGroup {
  constructor(scope: Construct, id: string, props: EncryptedLogGroupProps) {
    super(scope, id, {
      logGroupName: props.logGroupName,
      retention: props.options.logRetentionDays,
      encryptionKey: props.key,
      removalPolicy: removalPolicy(props.options),
    });
  }
}
