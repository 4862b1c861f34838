import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aws, resource, synthesize } from './synthesize.ts';

test('the bus has a dead-letter queue, which admits this bus alone', () => {
  const bus = resource(aws.template, 'AWS::Events::EventBus');
  const queue = resource(aws.template, 'AWS::SQS::Queue', 'ChangeBusDeadLetterQueue');
  assert.deepEqual(bus.Properties.DeadLetterConfig, { Arn: { 'Fn::GetAtt': [queue.logicalId, 'Arn'] } });
  const policy = resource(aws.template, 'AWS::SQS::QueuePolicy', 'ChangeBusDeadLetterQueue');
  const allowed = policy.Properties.PolicyDocument.Statement.filter(
    ({ Effect }: { Effect: string }) => Effect === 'Allow',
  );
  assert.equal(allowed.length, 1);
  assert.match(JSON.stringify(allowed[0].Condition.ArnEquals), /:event-bus\/tributary-dev"/);
});

test('the archive takes changes and exported resources, and forgets them after the retention', () => {
  const { Properties } = resource(aws.template, 'AWS::Events::Archive');
  assert.deepEqual(Properties.EventPattern, { source: ['tributary.items', 'tributary.fhir'] });
  assert.equal(Properties.RetentionDays, 14);
  const shorter = synthesize({ options: { archiveRetentionDays: 3 } });
  assert.equal(resource(shorter.template, 'AWS::Events::Archive').Properties.RetentionDays, 3);
});
