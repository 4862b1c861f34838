import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aws, resource, resourcesOf, synthesize } from './synthesize.ts';

const compactor = resource(aws.template, 'AWS::Lambda::Function', 'LakeCompactor');
const queue = resource(aws.template, 'AWS::SQS::Queue', 'LakeCompactionsQueue');
const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

test('a directory is its function\'s alone, and comes back when it failed', () => {
  const deadLetterQueue = resource(aws.template, 'AWS::SQS::Queue', 'LakeCompactionsDeadLetterQueue');
  assert.equal(queue.Properties.QueueName, 'tributary-dev-lake-compactions');
  assert.ok(queue.Properties.VisibilityTimeout > compactor.Properties.Timeout);
  assert.deepEqual(queue.Properties.RedrivePolicy, {
    deadLetterTargetArn: arn(deadLetterQueue.logicalId),
    maxReceiveCount: 5,
  });
  assert.deepEqual(resource(aws.template, 'AWS::Lambda::EventSourceMapping', 'LakeCompactor').Properties, {
    EventSourceArn: arn(queue.logicalId),
    FunctionName: { Ref: compactor.logicalId },
    BatchSize: 1,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    ScalingConfig: { MaximumConcurrency: 10 },
  });
});

test('the compactor comes after the tables, whose columns it reads when it starts', () => {
  const { DependsOn } = aws.template.toJSON().Resources[compactor.logicalId];
  for (const table of Object.keys(resourcesOf(aws.template, 'AWS::Glue::Table'))) assert.ok(DependsOn.includes(table), table);
});

test('I7: rows and files take half of the memory that the options give, and a merge three quarters of the storage', () => {
  const lake = { compactorMemory: 4_096, compactorStorage: 2_048 };
  const { Properties } = resource(synthesize({ options: { lake } }).template, 'AWS::Lambda::Function', 'LakeCompactor');
  assert.deepEqual([Properties.MemorySize, Properties.Timeout], [4_096, 900]);
  assert.deepEqual(Properties.EphemeralStorage, { Size: 2_048 });
  const { MEMORY_BYTES, MERGE_BYTES } = Properties.Environment.Variables;
  assert.deepEqual([MEMORY_BYTES, MERGE_BYTES], [String(2 * 1024 ** 3), String(1.5 * 1024 ** 3)]);
});

test('numbers in the environment are whole', () => {
  const { Variables } = compactor.Properties.Environment;
  const whole = ['SETTLE_SECONDS', 'KEEP_REPLACED_SECONDS', 'MEMORY_BYTES', 'LATEST_BUCKETS', 'MERGE_FILES', 'MERGE_BYTES'];
  for (const name of whole) assert.match(Variables[name], /^[0-9]+$/, name);
});

test('the options reach the compactor', () => {
  const lake = { settleSeconds: 0, keepReplacedSeconds: 60, latestBuckets: 2, mergeFiles: 3, fileBytes: 4_096 };
  const { template } = synthesize({ options: { lake } });
  const { Variables } = resource(template, 'AWS::Lambda::Function', 'LakeCompactor').Properties.Environment;
  assert.deepEqual(
    [Variables.SETTLE_SECONDS, Variables.KEEP_REPLACED_SECONDS, Variables.LATEST_BUCKETS],
    ['0', '60', '2'],
  );
  assert.deepEqual([Variables.MERGE_FILES, Variables.FILE_BYTES], ['3', '4096']);
});

test('every hour, or as the options say, the compactor plans, and what cannot be started is kept', () => {
  const { Properties } = resource(aws.template, 'AWS::Scheduler::Schedule', 'LakeSchedule');
  const deadLetterQueue = resource(aws.template, 'AWS::SQS::Queue', 'LakeScheduleDeadLetterQueue');
  assert.equal(Properties.Name, 'tributary-dev-lake-compaction');
  assert.deepEqual([Properties.ScheduleExpression, Properties.State], ['rate(1 hour)', 'ENABLED']);
  assert.deepEqual(Properties.Target.Arn, arn(compactor.logicalId));
  assert.equal(Properties.Target.Input, '{"plan":{}}');
  assert.deepEqual(Properties.Target.DeadLetterConfig, { Arn: arn(deadLetterQueue.logicalId) });
  const { template } = synthesize({ options: { lake: { compactionSchedule: 'cron(0 3 * * ? *)' } } });
  const schedule = resource(template, 'AWS::Scheduler::Schedule', 'LakeSchedule').Properties;
  assert.equal(schedule.ScheduleExpression, 'cron(0 3 * * ? *)');
});
