import { Validations, type App } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks } from 'cdk-nag';

/** The rule packs that every template has to pass: a finding that no construct acknowledges fails `cdk synth`. */
export function rulePacks(app: App): [AwsSolutionsChecks, HIPAASecurityChecks] {
  return [new AwsSolutionsChecks(app), new HIPAASecurityChecks(app)];
}

export function enforceRulePacks(app: App): void {
  Validations.of(app).addPlugins(...rulePacks(app));
}
