import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports, datastores, localExports } from './exports.ts';
import { resourcesOf, synthesize, type Resource } from './synthesize.ts';

/** What may differ between the templates of AWS and of the local stack, by resource type. */
const differences: Record<string, string[]> = {
  'AWS::Lambda::Function': ['Architectures', 'Code'],
  'AWS::DynamoDB::Table': ['DeletionProtectionEnabled'],
};

/** What there is on AWS alone: the local stack's stand-in has every datastore, and its alarms watch one metric each. */
function isOnAwsAlone({ Type, Properties }: Resource): boolean {
  return Type === 'AWS::HealthLake::FHIRDatastore' || (Type === 'AWS::CloudWatch::Alarm' && Properties.Metrics !== undefined);
}

const onAws = synthesize({
  environment: { CDK_DEFAULT_ACCOUNT: '000000000000', CDK_DEFAULT_REGION: 'us-east-1' },
  options: { datastores },
});
const locally = synthesize({
  target: 'local',
  environment: { AWS_ENDPOINT_URL_HEALTHLAKE: 'http://127.0.0.1:4567' },
  options: { datastores },
});

test('I8: the local template has the same resources as the one for AWS, but for what it cannot have', () => {
  const types = (resources: [string, Resource][]) =>
    Object.fromEntries(resources.map(([logicalId, { Type }]) => [logicalId, Type]));
  const expected = Object.entries(resourcesOf(onAws.template)).filter(([, resource]) => !isOnAwsAlone(resource));
  assert.deepEqual(types(Object.entries(resourcesOf(locally.template))), types(expected));
});

test('I8: what AWS has alone is the datastore that is created, and the alarm over two metrics', () => {
  const alone = Object.values(resourcesOf(onAws.template)).filter(isOnAwsAlone);
  assert.deepEqual(
    alone.map(({ Type, Properties }) => [Type, Properties.AlarmName ?? Properties.DatastoreName]).sort(),
    [
      ['AWS::CloudWatch::Alarm', 'tributary-dev-lake-writer-idle'],
      ['AWS::HealthLake::FHIRDatastore', 'tributary-dev-clinic'],
    ],
  );
});

test('I8: their properties differ in the listed ways alone', () => {
  const localResources = resourcesOf(locally.template);
  for (const [logicalId, { Type, Properties }] of Object.entries(withoutCreatedDatastores())) {
    const allowed = differences[Type] ?? [];
    const localProperties = withoutHealthLakeEndpoint(localResources[logicalId]!.Properties);
    assert.deepEqual(without(localProperties, allowed), without(Properties, allowed), logicalId);
  }
});

/** The resources on AWS, with the id that a created datastore has locally in the place of the reference to it. */
function withoutCreatedDatastores(): Record<string, Resource> {
  const { Outputs } = locally.template.toJSON();
  const created = Object.keys(resourcesOf(onAws.template, 'AWS::HealthLake::FHIRDatastore'));
  assert.equal(created.length, 1);
  const text = JSON.stringify(resourcesOf(onAws.template)).replaceAll(
    JSON.stringify({ 'Fn::GetAtt': [created[0], 'DatastoreId'] }),
    JSON.stringify(Outputs.ClinicDatastoreId.Value),
  );
  const resources = Object.entries(JSON.parse(text) as Record<string, Resource>);
  return Object.fromEntries(
    resources
      .filter(([, resource]) => !isOnAwsAlone(resource))
      .map(([logicalId, resource]) => [logicalId, joined(resource) as Resource]),
  );
}

/** Joins the texts that stand beside each other in an `Fn::Join` once a reference in it has become a text. */
function joined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(joined);
  if (typeof value !== 'object' || value === null) return value;
  if (!('Fn::Join' in value)) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, joined(member)]));
  }
  const [separator, parts] = value['Fn::Join'] as [string, unknown[]];
  const merged = parts.reduce<unknown[]>((before, part) => {
    const last = before.at(-1);
    if (separator !== '' || typeof part !== 'string' || typeof last !== 'string') return [...before, part];
    return [...before.slice(0, -1), last + part];
  }, []);
  return merged.length === 1 ? merged[0] : { 'Fn::Join': [separator, merged] };
}

/** A function's properties without the one variable that it has locally alone. */
function withoutHealthLakeEndpoint(properties: Record<string, any>): Record<string, any> {
  if (properties.Environment === undefined) return properties;
  const Variables = without(properties.Environment.Variables, ['AWS_ENDPOINT_URL_HEALTHLAKE']);
  return { ...properties, Environment: { Variables } };
}

function without(properties: Record<string, unknown>, names: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}

/** What holds nothing that a team could miss. */
const stateless = [
  'AWS::Athena::NamedQuery',
  'AWS::Athena::WorkGroup',
  'AWS::CloudWatch::Alarm',
  'AWS::Events::Archive',
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Alias',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::Lambda::Permission',
  'AWS::Pipes::Pipe',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Scheduler::Schedule',
  'AWS::StepFunctions::StateMachine',
];

test('on AWS the data outlives the stack, and the stack cannot be deleted by accident', () => {
  assert.equal(awsExports.stack.terminationProtection, true);
  for (const [logicalId, { Type, DeletionPolicy }] of Object.entries(resourcesOf(awsExports.template))) {
    const isForeign = logicalId.startsWith('LakeCatalogExportedResources');
    if (!stateless.includes(Type) && !isForeign) assert.equal(DeletionPolicy, 'Retain', logicalId);
  }
});

test('locally nothing outlives the stack', () => {
  assert.ok(!localExports.stack.terminationProtection);
  for (const [logicalId, { DeletionPolicy }] of Object.entries(resourcesOf(localExports.template))) {
    assert.notEqual(DeletionPolicy, 'Retain', logicalId);
  }
});
