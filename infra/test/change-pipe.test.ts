import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aws, resource, synthesize } from './synthesize.ts';

const pipe = resource(aws.template, 'AWS::Pipes::Pipe').Properties;

test('I1, I3: retries are bounded, a failing batch is bisected, and what is given up goes to the dead-letter queue', () => {
  const deadLetterQueue = resource(aws.template, 'AWS::SQS::Queue', 'ChangePipeDeadLetterQueue');
  assert.deepEqual(pipe.SourceParameters.DynamoDBStreamParameters, {
    StartingPosition: 'TRIM_HORIZON',
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 1,
    ParallelizationFactor: 1,
    OnPartialBatchItemFailure: 'AUTOMATIC_BISECT',
    MaximumRetryAttempts: 50,
    MaximumRecordAgeInSeconds: 43_200,
    DeadLetterConfig: { Arn: { 'Fn::GetAtt': [deadLetterQueue.logicalId, 'Arn'] } },
  });
});

test('I1: nothing is filtered by default', () => {
  assert.equal(pipe.SourceParameters.FilterCriteria, undefined);
});

test('the options set the batch, the retries and the filter', () => {
  const pattern = { eventName: ['INSERT', 'MODIFY'] };
  const options = {
    pipe: {
      batchSize: 10,
      batchingWindowSeconds: 5,
      maximumRetryAttempts: 2,
      maximumRecordAgeSeconds: 3_600,
      parallelizationFactor: 4,
      filterPatterns: [pattern],
    },
  };
  const { SourceParameters } = resource(synthesize({ options }).template, 'AWS::Pipes::Pipe').Properties;
  assert.deepEqual(SourceParameters.FilterCriteria, { Filters: [{ Pattern: JSON.stringify(pattern) }] });
  const {
    BatchSize,
    MaximumBatchingWindowInSeconds,
    MaximumRetryAttempts,
    MaximumRecordAgeInSeconds,
    ParallelizationFactor,
  } = SourceParameters.DynamoDBStreamParameters;
  assert.deepEqual(
    [BatchSize, MaximumBatchingWindowInSeconds, MaximumRetryAttempts, MaximumRecordAgeInSeconds, ParallelizationFactor],
    [10, 5, 2, 3_600, 4],
  );
});

test('I7: two pages of every patient in the largest batch fit into the memory of the enricher', () => {
  const { template } = synthesize({ options: { pipe: { batchSize: 200 } } });
  const { BatchSize } = resource(template, 'AWS::Pipes::Pipe').Properties.SourceParameters.DynamoDBStreamParameters;
  const { MemorySize } = resource(template, 'AWS::Lambda::Function', 'Enricher').Properties;
  assert.ok(2 * BatchSize < MemorySize);
  assert.throws(() => synthesize({ options: { pipe: { batchSize: 201 } } }), /pipe\.batchSize/);
});

test('the enricher enriches, and the router is called so that it can report single failures', () => {
  const functionArn = (prefix: string) => ({
    'Fn::GetAtt': [resource(aws.template, 'AWS::Lambda::Function', prefix).logicalId, 'Arn'],
  });
  assert.deepEqual(pipe.Enrichment, functionArn('Enricher'));
  assert.deepEqual(pipe.Target, functionArn('Router'));
  assert.deepEqual(pipe.TargetParameters, { LambdaFunctionParameters: { InvocationType: 'REQUEST_RESPONSE' } });
});

test('I6: the log of the pipe has no execution data', () => {
  assert.equal(pipe.LogConfiguration.Level, 'ERROR');
  assert.equal(pipe.LogConfiguration.IncludeExecutionData, undefined);
});

for (const [maximumRecordAgeSeconds, attempts] of [
  [43_200, 24],
  [3_600, 46],
] as const) {
  test(`I1: a dead letter of ${maximumRecordAgeSeconds} s is tried ${attempts} times while the stream has the records`, () => {
    const { template } = synthesize({ options: { pipe: { maximumRecordAgeSeconds } } });
    const queue = resource(template, 'AWS::SQS::Queue', 'ChangePipeDeadLetterQueue').Properties;
    assert.equal(queue.RedrivePolicy.maxReceiveCount, attempts);
    assert.deepEqual(queue.RedrivePolicy.deadLetterTargetArn, {
      'Fn::GetAtt': [resource(template, 'AWS::SQS::Queue', 'ChangePipeUnrescuedQueue').logicalId, 'Arn'],
    });
    assert.ok(attempts * queue.VisibilityTimeout <= 24 * 60 * 60 - maximumRecordAgeSeconds);
  });
}

test('the role trusts this pipe of this account alone', () => {
  const [statement] = resource(aws.template, 'AWS::IAM::Role', 'ChangePipeRole').Properties.AssumeRolePolicyDocument
    .Statement;
  assert.deepEqual(statement.Principal, { Service: 'pipes.amazonaws.com' });
  assert.deepEqual(statement.Condition.StringEquals['aws:SourceAccount'], { Ref: 'AWS::AccountId' });
  assert.match(JSON.stringify(statement.Condition.StringEquals['aws:SourceArn']), /:pipe\/tributary-dev-changes"/);
});
