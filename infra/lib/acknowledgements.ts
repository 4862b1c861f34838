import { Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Acknowledges cdk-nag findings on one construct and what is below it: rule id to the reason why the finding is
 * accepted there. It stands beside the construct, so that who changes the one reads the other.
 */
export function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  const acknowledgments = Object.entries(reasons).map(([id, reason]) => ({ id, reason }));
  Validations.of(construct).acknowledge(...acknowledgments);
}

/** The finding that cdk-nag reports where a policy names resources by a pattern. */
export function wildcardFinding(scope: IConstruct, arnPattern: string): string {
  return `AwsSolutions-IAM5[Resource::${flattened(Stack.of(scope).resolve(arnPattern))}]`;
}

type TemplateText =
  | string
  | { readonly Ref: string }
  | { readonly 'Fn::GetAtt': readonly string[] }
  | { readonly 'Fn::Join': readonly [separator: string, parts: readonly TemplateText[]] };

/** A text of a template as cdk-nag writes it: `<AWS::Region>` for a reference, `<Bucket.Arn>` for an attribute. */
function flattened(value: TemplateText): string {
  if (typeof value === 'string') return value;
  if ('Ref' in value) return `<${value.Ref}>`;
  if ('Fn::GetAtt' in value) return `<${value['Fn::GetAtt'].join('.')}>`;
  const [separator, parts] = value['Fn::Join'];
  return parts.map(flattened).join(separator);
}
