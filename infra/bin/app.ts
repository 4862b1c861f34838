import { App } from 'aws-cdk-lib';
import { DeployerError } from '../lib/deployer-error.ts';
import { readItemTypes } from '../lib/item-types.ts';
import { loadOptions } from '../lib/options.ts';
import { enforceRulePacks } from '../lib/rule-packs.ts';
import { targetNamed } from '../lib/target.ts';
import { TributaryStack } from '../lib/tributary-stack.ts';

/** `cdk deploy -c environment=prod -c target=aws -c options='{"alarmEmail":"oncall@example.org"}'` */
function main(): void {
  const app = new App();
  const options = loadOptions({
    environment: app.node.tryGetContext('environment'),
    target: app.node.tryGetContext('target'),
    options: app.node.tryGetContext('options'),
  });
  enforceRulePacks(app);
  new TributaryStack(app, {
    options,
    target: targetNamed(options.target, process.env),
    itemTypes: readItemTypes(),
  });
  app.synth();
}

try {
  main();
} catch (error) {
  if (!(error instanceof DeployerError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
