import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aws, local, resourcesOf, synthesize, type Resource } from './synthesize.ts';

/** What may differ between the templates of AWS and of the local stack, by resource type. */
const differences: Record<string, string[]> = {
  'AWS::Lambda::Function': ['Architectures', 'Code'],
  'AWS::DynamoDB::Table': ['DeletionProtectionEnabled'],
};

test('I8: the local template has the same resources as the one for AWS', () => {
  const types = (resources: Record<string, Resource>) =>
    Object.fromEntries(Object.entries(resources).map(([logicalId, { Type }]) => [logicalId, Type]));
  assert.deepEqual(types(resourcesOf(local.template)), types(resourcesOf(aws.template)));
});

test('I8: their properties differ in the listed ways alone', () => {
  const onAws = synthesize({ environment: { CDK_DEFAULT_ACCOUNT: '000000000000', CDK_DEFAULT_REGION: 'us-east-1' } });
  const localResources = resourcesOf(local.template);
  for (const [logicalId, { Type, Properties }] of Object.entries(resourcesOf(onAws.template))) {
    const allowed = differences[Type] ?? [];
    assert.deepEqual(without(localResources[logicalId]!.Properties, allowed), without(Properties, allowed), logicalId);
  }
});

function without(properties: Record<string, unknown>, names: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}

/** What holds nothing that a team could miss. */
const stateless = [
  'AWS::CloudWatch::Alarm',
  'AWS::Events::Archive',
  'AWS::Events::EventBus',
  'AWS::Events::Rule',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Alias',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::Pipes::Pipe',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::QueuePolicy',
];

test('on AWS the data outlives the stack, and the stack cannot be deleted by accident', () => {
  assert.equal(aws.stack.terminationProtection, true);
  for (const [logicalId, { Type, DeletionPolicy }] of Object.entries(resourcesOf(aws.template))) {
    if (!stateless.includes(Type)) assert.equal(DeletionPolicy, 'Retain', logicalId);
  }
});

test('locally nothing outlives the stack', () => {
  assert.ok(!local.stack.terminationProtection);
  for (const [logicalId, { DeletionPolicy }] of Object.entries(resourcesOf(local.template))) {
    assert.notEqual(DeletionPolicy, 'Retain', logicalId);
  }
});
