import { fileURLToPath } from 'node:url';
import type { Environment } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';

export const targetNames = ['aws', 'local'] as const;
export type TargetName = (typeof targetNames)[number];

/**
 * Where the stack is deployed to. Every difference between AWS and the local stack is one property of this type, so
 * that this file is the whole list: no other file asks for the target's name.
 */
export interface Target {
  /** Account and region. The local stack has one of each; on AWS the credentials of `cdk deploy` decide. */
  readonly env: Environment;

  /** What happens to data when the stack is deleted and the options do not say. A local stack leaves nothing behind. */
  readonly defaultRemovalPolicy: 'retain' | 'destroy';

  /**
   * The processor of the functions: Graviton on AWS; locally this machine's own, because the local stack runs the
   * binaries directly.
   */
  readonly architecture: Architecture;

  /**
   * The folder with one built function per sub-folder; absent on AWS, where cargo-lambda builds during the deployment.
   * Locally a plain cargo build serves, which needs no cross compiler.
   */
  readonly defaultFunctionsDirectory?: string;

  /**
   * Whether the stack creates the datastores that are not there yet. The local stack's stand-in for HealthLake has every
   * datastore that it is asked for; the stack asks for one under an id made from its name.
   */
  readonly createsDatastores: boolean;

  /**
   * Whether an alarm may watch an expression over several metrics. The local stack's CloudFormation refuses one; no alarm is
   * looked at there.
   */
  readonly takesMetricMath: boolean;

  /**
   * Where the functions find HealthLake; absent on AWS, where the SDK knows. Locally it is where whoever deploys finds
   * it: the stand-in has an endpoint of its own.
   */
  readonly healthLakeEndpoint?: string;
}

export function aws(environment: NodeJS.ProcessEnv): Target {
  return {
    env: { account: environment.CDK_DEFAULT_ACCOUNT, region: environment.CDK_DEFAULT_REGION },
    defaultRemovalPolicy: 'retain',
    architecture: Architecture.ARM_64,
    createsDatastores: true,
    takesMetricMath: true,
  };
}

export function local(environment: NodeJS.ProcessEnv): Target {
  return {
    env: { account: '000000000000', region: 'us-east-1' },
    defaultRemovalPolicy: 'destroy',
    architecture: process.arch === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
    defaultFunctionsDirectory: fileURLToPath(new URL('../../target/local-functions', import.meta.url)),
    createsDatastores: false,
    takesMetricMath: false,
    healthLakeEndpoint: environment.AWS_ENDPOINT_URL_HEALTHLAKE,
  };
}

export function targetNamed(name: TargetName, environment: NodeJS.ProcessEnv): Target {
  return name === 'aws' ? aws(environment) : local(environment);
}
