import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Template } from 'aws-cdk-lib/assertions';
import { readItemTypes, type ItemType } from '../lib/item-types.ts';
import { aws, resource, resourcesOf, statementsOf, synthesize } from './synthesize.ts';

function assertRoute(template: Template, { detailType }: ItemType, name: string): void {
  const rule = resource(template, 'AWS::Events::Rule', `${detailType}Rule`);
  const queue = resource(template, 'AWS::SQS::Queue', `${detailType}Queue`);
  const deadLetterQueue = resource(template, 'AWS::SQS::Queue', `${detailType}DeadLetterQueue`);
  const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

  assert.equal(queue.Properties.QueueName, `tributary-dev-${name}`);
  assert.equal(deadLetterQueue.Properties.QueueName, `tributary-dev-${name}-dead-letters`);
  assert.deepEqual(queue.Properties.RedrivePolicy, {
    deadLetterTargetArn: arn(deadLetterQueue.logicalId),
    maxReceiveCount: 5,
  });
  assert.deepEqual(rule.Properties.EventPattern, { source: ['tributary.items'], 'detail-type': [detailType] });
  assert.deepEqual(rule.Properties.Targets, [
    {
      Id: 'Target0',
      Arn: arn(queue.logicalId),
      DeadLetterConfig: { Arn: arn(deadLetterQueue.logicalId) },
      RetryPolicy: { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86_400 },
    },
  ]);
  for (const prefix of [`${detailType}QueuePolicy`, `${detailType}DeadLetterQueuePolicy`]) {
    const sends = statementsOf(resource(template, 'AWS::SQS::QueuePolicy', prefix)).filter(
      ({ Effect }) => Effect === 'Allow',
    );
    assert.equal(sends.length, 1);
    assert.equal(sends[0]?.Action, 'sqs:SendMessage');
    assert.deepEqual(sends[0]?.Principal, { Service: 'events.amazonaws.com' });
    assert.deepEqual(sends[0]?.Condition, { ArnEquals: { 'aws:SourceArn': arn(rule.logicalId) } });
  }
}

test('I1: every item type of the registry has its rule, its queue and its dead-letter queue', () => {
  const itemTypes = readItemTypes();
  for (const itemType of itemTypes) {
    const words = itemType.detailType.match(/[A-Z][a-z0-9]*/g)!.map((word) => word.toLowerCase());
    assertRoute(aws.template, itemType, `${words.join('-')}s`);
  }
  assert.equal(Object.keys(resourcesOf(aws.template, 'AWS::Events::Rule')).length, itemTypes.length);
});

test('a new line in the registry is enough for a new item type', () => {
  const itemType = { itemType: 'CarePlan', detailType: 'CarePlanChange', resourceType: 'CarePlan' };
  assertRoute(synthesize({ itemTypes: [itemType] }).template, itemType, 'care-plan-changes');
});

test('the registry has the catch-all for item types that the code does not know', () => {
  assert.ok(readItemTypes().some(({ detailType }) => detailType === 'ItemChange'));
});
