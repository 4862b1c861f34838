import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aws, resource, resourcesOf, synthesize } from './synthesize.ts';

const mapping = resource(aws.template, 'AWS::Lambda::EventSourceMapping', 'LakeWriter');
const arn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });

test('I1, I3: the writer follows the stream from its beginning, and what it cannot write is kept whole', () => {
  const deadLetters = resource(aws.template, 'AWS::S3::Bucket', 'DeadLetters').logicalId;
  assert.deepEqual(mapping.Properties, {
    EventSourceArn: { 'Fn::GetAtt': [resource(aws.template, 'AWS::DynamoDB::Table').logicalId, 'StreamArn'] },
    FunctionName: { Ref: resource(aws.template, 'AWS::Lambda::Function', 'LakeWriter').logicalId },
    StartingPosition: 'TRIM_HORIZON',
    BatchSize: 10_000,
    MaximumBatchingWindowInSeconds: 120,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 50,
    MaximumRecordAgeInSeconds: 43_200,
    DestinationConfig: { OnFailure: { Destination: arn(deadLetters) } },
    MetricsConfig: { Metrics: ['EventCount'] },
  });
});

test('the batches follow the options, and so do the files', () => {
  const lake = {
    batchSize: 100,
    batchingWindowSeconds: 1,
    maximumRetryAttempts: 3,
    maximumRecordAgeSeconds: 60,
    compression: 'gzip',
  };
  const { template } = synthesize({ options: { lake } });
  const { Properties } = resource(template, 'AWS::Lambda::EventSourceMapping', 'LakeWriter');
  assert.deepEqual([Properties.BatchSize, Properties.MaximumBatchingWindowInSeconds], [100, 1]);
  assert.deepEqual([Properties.MaximumRetryAttempts, Properties.MaximumRecordAgeInSeconds], [3, 60]);
  const writer = resource(template, 'AWS::Lambda::Function', 'LakeWriter').Properties;
  assert.equal(writer.Environment.Variables.COMPRESSION, 'gzip');
});

test('the writer comes after the tables, whose columns it reads when it starts', () => {
  const { logicalId } = resource(aws.template, 'AWS::Lambda::Function', 'LakeWriter');
  const { DependsOn } = aws.template.toJSON().Resources[logicalId];
  for (const table of Object.keys(resourcesOf(aws.template, 'AWS::Glue::Table'))) assert.ok(DependsOn.includes(table), table);
});

test('the stream has two readers, which is what DynamoDB allows: the pipe and the writer', () => {
  const { logicalId } = resource(aws.template, 'AWS::DynamoDB::Table');
  const stream = JSON.stringify({ 'Fn::GetAtt': [logicalId, 'StreamArn'] });
  const readers = ['AWS::Pipes::Pipe', 'AWS::Lambda::EventSourceMapping'].flatMap((type) =>
    Object.entries(resourcesOf(aws.template, type)).filter(([, { Properties }]) =>
      JSON.stringify(Properties.Source ?? Properties.EventSourceArn).includes(stream),
    ),
  );
  assert.deepEqual(
    readers.map(([id]) => id.replace(/[0-9A-F]{8}$/, '')),
    ['ChangePipe', 'LakeWriterStream'],
  );
});
