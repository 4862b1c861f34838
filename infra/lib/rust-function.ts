import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Stack, type Duration, type Size } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { cargoLambdaVersion, RustFunction as CargoLambdaFunction } from 'cargo-lambda-cdk';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';
import { DeployerError } from './deployer-error.ts';
import { resourceName, type Deployment } from './deployment.ts';
import { EncryptedLogGroup } from './encrypted-log-group.ts';
import { EnvironmentVariable, type FunctionEnvironment } from './environment-variables.ts';

export interface RustFunctionProps extends Deployment {
  /** The binary of the workspace that the function runs; the function is named after it. */
  readonly binaryName: string;
  readonly timeout: Duration;
  readonly memorySize: number;
  /** Of `/tmp`; 512 MB where nothing is said. */
  readonly ephemeralStorageSize?: Size;
  readonly environment: FunctionEnvironment;
}

/** Where the functions' own metrics are. */
const metricsNamespace = 'Tributary';

const manifestPath = fileURLToPath(new URL('../../Cargo.toml', import.meta.url));

/**
 * A function of the workspace with a log group and a role of its own. The role may write that log group and nothing else
 * until a construct grants more.
 *
 * Active tracing is off: its write actions cannot be limited to a resource. The logs name a change by its id (`meta.id`),
 * which follows from the record alone and so is the same in every function. The correlation id is a value of the item and
 * stays in the event (I6).
 */
export class RustFunction extends Construct {
  readonly binaryName: string;
  readonly function: lambda.Function;
  readonly role: iam.Role;

  constructor(scope: Construct, id: string, props: RustFunctionProps) {
    super(scope, id);
    this.binaryName = props.binaryName;
    const functionName = resourceName(props.options, props.binaryName);
    const logGroup = new EncryptedLogGroup(this, 'LogGroup', { ...props, logGroupName: `/aws/lambda/${functionName}` });
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `What ${functionName} may do`,
    });
    logGroup.grantWrite(this.role);

    this.function = createFunction(this, props, {
      functionName,
      role: this.role,
      logGroup,
      architecture: props.target.architecture,
      timeout: props.timeout,
      memorySize: props.memorySize,
      ephemeralStorageSize: props.ephemeralStorageSize,
      environment: {
        ...props.environment,
        [EnvironmentVariable.metricsNamespace]: metricsNamespace,
        [EnvironmentVariable.logFilter]: 'info',
      },
    });
    this.acknowledgeFindings();
  }

  /** Invokes the function itself, not its versions or aliases: there are none. */
  grantInvoke(grantee: iam.IGrantable): void {
    iam.Grant.addToPrincipal({
      grantee,
      actions: ['lambda:InvokeFunction'],
      resourceArns: [this.function.functionArn],
    });
  }

  /** What the function itself counts, by the dimension that `telemetry.rs` of `lambda-support` gives it. */
  metric(metricName: string, options?: cloudwatch.MetricOptions): cloudwatch.Metric {
    return new cloudwatch.Metric({
      ...options,
      namespace: metricsNamespace,
      metricName,
      dimensionsMap: { Function: this.function.functionName },
    });
  }

  private acknowledgeFindings(): void {
    acknowledge(this.function, {
      'HIPAA.Security-LambdaConcurrency':
        'what calls the function bounds its concurrency: a pipe and a stream run one batch per shard and parallelization ' +
        'factor, a queue and a state machine as many as their construct says, an operator one; a reserve would take from the ' +
        "account's other functions",
      'HIPAA.Security-LambdaDLQ':
        'Lambda\'s dead-letter queue serves asynchronous invocations alone (Lambda developer guide, "Adding a dead-letter ' +
        'queue"); a pipe, a stream, a queue, a state machine or an operator invokes this function and sees its errors; where ' +
        'a rule does, which sees none, there is an on-failure destination, and what a schedule asks for it asks for again',
      'HIPAA.Security-LambdaInsideVPC':
        'the function accepts no connections and calls AWS endpoints alone, over TLS and under its role; inside a VPC the ' +
        'same calls would need an endpoint per service or a way out to the internet',
    });
    acknowledge(this.role, {
      'HIPAA.Security-IAMNoInlinePolicy':
        'the policy is written for this role alone from what the constructs grant, and must come and go with it',
    });
  }
}

type CommonProps = lambda.FunctionOptions & { readonly functionName: string };

/** Takes the function from the folder of the built ones where the target has one, or lets cargo-lambda build it. */
function createFunction(scope: Construct, props: RustFunctionProps, common: CommonProps): lambda.Function {
  const { binaryName, options, target } = props;
  if (target.defaultFunctionsDirectory !== undefined) {
    const functionsDirectory = options.functionsDirectory ?? target.defaultFunctionsDirectory;
    return new lambda.Function(scope, 'Function', {
      ...common,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      handler: 'bootstrap',
      code: lambda.Code.fromAsset(builtFunction(functionsDirectory, binaryName)),
    });
  }
  // Without this, cargo-lambda-cdk would fall back to a container image from the internet.
  if (Stack.of(scope).bundlingRequired && !cargoLambdaVersion()) {
    throw new DeployerError('cargo-lambda is missing, which builds the functions: `pip install cargo-lambda`');
  }
  return new CargoLambdaFunction(scope, 'Function', {
    ...common,
    runtime: 'provided.al2023',
    manifestPath,
    binaryName,
    bundling: { architecture: target.architecture },
  });
}

function builtFunction(functionsDirectory: string, binaryName: string): string {
  const directory = resolve(functionsDirectory, binaryName);
  if (!existsSync(join(directory, 'bootstrap'))) {
    throw new DeployerError(`${directory} holds no bootstrap: run \`cargo xtask build-functions\` first`);
  }
  return directory;
}
