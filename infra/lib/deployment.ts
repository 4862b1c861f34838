import { RemovalPolicy } from 'aws-cdk-lib';
import type { EncryptionKey } from './encryption-key.ts';
import type { Options } from './options.ts';
import type { Target } from './target.ts';

/** What all constructs of one deployment share. */
export interface Deployment {
  readonly options: Options;
  readonly target: Target;
  /** The customer-managed key that everything which holds or describes a patient's data is encrypted under. */
  readonly key: EncryptionKey;
}

/** `tributary-<environment>` or `tributary-<environment>-<suffix>`. */
export function resourceName(options: Options, suffix?: string): string {
  const prefix = `tributary-${options.environment}`;
  return suffix === undefined ? prefix : `${prefix}-${suffix}`;
}

/** What becomes of a resource that holds data when the stack is deleted. */
export function removalPolicy(options: Options): RemovalPolicy {
  return options.removalPolicy === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
}
