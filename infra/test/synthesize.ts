import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { readItemTypes, type ItemType } from '../lib/item-types.ts';
import { loadOptions } from '../lib/options.ts';
import { targetNamed, type TargetName } from '../lib/target.ts';
import { TributaryStack } from '../lib/tributary-stack.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, any>;
  readonly DeletionPolicy?: string;
}

export interface Statement {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: Record<string, unknown>;
  readonly Condition?: Record<string, Record<string, unknown>>;
}

export interface Synthesized {
  readonly app: App;
  readonly stack: TributaryStack;
  readonly template: Template;
}

export interface SynthesizeProps {
  readonly target?: TargetName;
  readonly options?: Record<string, unknown>;
  readonly itemTypes?: readonly ItemType[];
  /** What the app would find in the process's environment. */
  readonly environment?: NodeJS.ProcessEnv;
}

/** Folders in which each function is built already, for the local target. */
const functionsDirectory = mkdtempSync(join(tmpdir(), 'tributary-functions-'));
const binaryNames = [
  'stream-enricher',
  'item-router',
  'dead-letter-rescuer',
  'dead-letter-replayer',
  'export-coordinator',
  'export-starter',
  'export-poller',
  'export-publisher',
  'lake-writer',
  'lake-compactor',
  'lake-replayer',
];
for (const binaryName of binaryNames) {
  mkdirSync(join(functionsDirectory, binaryName));
  writeFileSync(join(functionsDirectory, binaryName, 'bootstrap'), binaryName);
}
process.on('exit', () => rmSync(functionsDirectory, { recursive: true }));

const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'));

/** The stack as `cdk synth` makes it, with the feature flags of `cdk.json`, but without building functions. */
export function synthesize(props: SynthesizeProps = {}): Synthesized {
  const app = new App({ context, analyticsReporting: false });
  const options = loadOptions({
    target: props.target,
    options: JSON.stringify({ functionsDirectory, buildFunctions: false, ...props.options }),
  });
  const stack = new TributaryStack(app, {
    options,
    target: targetNamed(options.target, props.environment ?? {}),
    itemTypes: props.itemTypes ?? readItemTypes(),
  });
  return { app, stack, template: Template.fromStack(stack) };
}

/** The two templates as they are by default. */
export const aws = synthesize({ target: 'aws' });
export const local = synthesize({ target: 'local' });

export function resourcesOf(template: Template, type?: string): Record<string, Resource> {
  const all = Object.entries(template.toJSON().Resources as Record<string, Resource>);
  return Object.fromEntries(all.filter(([, resource]) => type === undefined || resource.Type === type));
}

/** The only resource of a type whose logical id begins with a prefix. */
export function resource(template: Template, type: string, prefix = ''): Resource & { readonly logicalId: string } {
  const found = Object.entries(resourcesOf(template, type)).filter(([logicalId]) => logicalId.startsWith(prefix));
  const [first, ...others] = found;
  if (first === undefined || others.length > 0) {
    throw new Error(
      `expected one ${type} ${prefix}, found ${found.map(([logicalId]) => logicalId).join(', ') || 'none'}`,
    );
  }
  return { logicalId: first[0], ...first[1] };
}

export function statementsOf(policy: Resource): Statement[] {
  const document =
    policy.Properties.PolicyDocument ?? policy.Properties.KeyPolicy ?? policy.Properties.AssumeRolePolicyDocument;
  return document.Statement;
}

/** A text of a template, with each value that is put in at deployment as `<LogicalId>` or `<LogicalId.Attribute>`. */
export function textOf(text: any): string {
  if (typeof text === 'string') return text;
  if ('Ref' in text) return `<${text.Ref}>`;
  if ('Fn::GetAtt' in text) return `<${text['Fn::GetAtt'].join('.')}>`;
  const [separator, parts] = text['Fn::Join'];
  return parts.map(textOf).join(separator);
}

export function list<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}
