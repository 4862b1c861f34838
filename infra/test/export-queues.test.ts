import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports } from './exports.ts';
import { resource, statementsOf } from './synthesize.ts';

const { template } = awsExports;
const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

const tasks: [queue: string, name: string, worker: string, maximumConcurrency: number][] = [
  ['ExportsStarts', 'export-starts', 'ExportsStarter', 2],
  ['ExportsPolls', 'export-polls', 'ExportsPoller', 5],
];

for (const [prefix, name, worker, maximumConcurrency] of tasks) {
  test(`${name}: a message is tried for half an hour, each time for as long as the function has`, () => {
    const queue = resource(template, 'AWS::SQS::Queue', `${prefix}Queue`);
    const deadLetterQueue = resource(template, 'AWS::SQS::Queue', `${prefix}DeadLetterQueue`);
    const workerFunction = resource(template, 'AWS::Lambda::Function', worker);
    assert.equal(queue.Properties.QueueName, `tributary-dev-${name}`);
    assert.equal(deadLetterQueue.Properties.QueueName, `tributary-dev-${name}-dead-letters`);
    const { deadLetterTargetArn, maxReceiveCount } = queue.Properties.RedrivePolicy;
    assert.deepEqual(deadLetterTargetArn, arn(deadLetterQueue.logicalId));
    assert.ok(queue.Properties.VisibilityTimeout > workerFunction.Properties.Timeout);
    assert.equal(queue.Properties.VisibilityTimeout * maxReceiveCount, 1_800);
    assert.equal(deadLetterQueue.Properties.RedrivePolicy, undefined);
  });

  test(`${name}: each message is its function's alone, and fails alone`, () => {
    const queue = resource(template, 'AWS::SQS::Queue', `${prefix}Queue`);
    assert.deepEqual(resource(template, 'AWS::Lambda::EventSourceMapping', worker).Properties, {
      EventSourceArn: arn(queue.logicalId),
      FunctionName: { Ref: resource(template, 'AWS::Lambda::Function', worker).logicalId },
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: maximumConcurrency },
    });
  });
}

const events: [prefix: string, name: string, pattern: Record<string, string[]>][] = [
  [
    'ExportsResourceEvents',
    'fhir-resource-changes',
    { source: ['tributary.fhir'], 'detail-type': ['FhirResourceChanged'] },
  ],
  ['ExportsRunEvents', 'export-runs', { source: ['tributary.exports'] }],
];

for (const [prefix, name, pattern] of events) {
  test(`I1: ${name}: a rule on the deployment's bus fills the queue, and what fails is kept`, () => {
    const rule = resource(template, 'AWS::Events::Rule', prefix);
    const queue = resource(template, 'AWS::SQS::Queue', `${prefix}Queue`);
    const deadLetterQueue = resource(template, 'AWS::SQS::Queue', `${prefix}DeadLetterQueue`);
    assert.deepEqual(rule.Properties.EventPattern, pattern);
    assert.deepEqual(rule.Properties.EventBusName, { Ref: resource(template, 'AWS::Events::EventBus').logicalId });
    assert.deepEqual(rule.Properties.Targets, [
      {
        Id: 'Target0',
        Arn: arn(queue.logicalId),
        DeadLetterConfig: { Arn: arn(deadLetterQueue.logicalId) },
        RetryPolicy: { MaximumRetryAttempts: 185, MaximumEventAgeInSeconds: 86_400 },
      },
    ]);
    assert.equal(queue.Properties.QueueName, `tributary-dev-${name}`);
    assert.equal(queue.Properties.RedrivePolicy.maxReceiveCount, 5);
    assert.deepEqual(queue.Properties.RedrivePolicy.deadLetterTargetArn, arn(deadLetterQueue.logicalId));
    for (const policy of [`${prefix}QueuePolicy`, `${prefix}DeadLetterQueuePolicy`]) {
      const sends = statementsOf(resource(template, 'AWS::SQS::QueuePolicy', policy)).filter(
        ({ Effect }) => Effect === 'Allow',
      );
      assert.deepEqual(
        sends.map(({ Action, Condition }) => [Action, Condition]),
        [['sqs:SendMessage', { ArnEquals: { 'aws:SourceArn': arn(rule.logicalId) } }]],
      );
    }
  });
}
