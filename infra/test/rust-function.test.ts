import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lakeConfiguration } from '../lib/lake-options.ts';
import { loadOptions } from '../lib/options.ts';
import { awsExports, datastores, localExports } from './exports.ts';
import { resource, resourcesOf, synthesize } from './synthesize.ts';

const { template } = awsExports;

const common = { METRICS_NAMESPACE: 'Tributary', RUST_LOG: 'info' };

function ref(type: string, prefix: string) {
  return { Ref: resource(template, type, prefix).logicalId };
}

const claimCheckBucket = ref('AWS::S3::Bucket', 'ClaimCheck');
const deadLetterBucket = ref('AWS::S3::Bucket', 'DeadLetters');

const exportStores = {
  EXPORT_RUNS_TABLE_NAME: ref('AWS::DynamoDB::Table', 'ExportsRuns'),
  EXPORT_BUCKET_NAME: ref('AWS::S3::Bucket', 'ExportsFiles'),
};

const lake = {
  LAKE: lakeConfiguration(loadOptions({}).lake),
  LAKE_BUCKET_NAME: ref('AWS::S3::Bucket', 'LakeFiles'),
  GLUE_DATABASE_NAME: ref('AWS::Glue::Database', 'LakeCatalog'),
};

const environments: Record<string, Record<string, unknown>> = {
  LakeWriter: { ...lake, DEAD_LETTER_BUCKET_NAME: deadLetterBucket, RAW_TABLE_NAME: 'raw', COMPRESSION: 'zstd' },
  LakeCompactor: {
    ...lake,
    COMPACT_TABLE_NAME: 'compact',
    COMPACTIONS_QUEUE_URL: ref('AWS::SQS::Queue', 'LakeCompactionsQueue'),
    SETTLE_SECONDS: '900',
    KEEP_REPLACED_SECONDS: '21600',
    MEMORY_BYTES: String((1_769 * 1_048_576) / 2),
    LATEST_BUCKETS: '8',
    MERGE_FILES: '8',
    MERGE_BYTES: '8053063680',
    FILE_BYTES: String(128 * 1_048_576),
  },
  Enricher: {
    ITEMS_TABLE_NAME: ref('AWS::DynamoDB::Table', 'Items'),
    CLAIM_CHECK_BUCKET_NAME: claimCheckBucket,
    CODE_MAPS: '{}',
  },
  Router: {
    EVENT_BUS_NAME: ref('AWS::Events::EventBus', 'ChangeBus'),
    DEAD_LETTER_BUCKET_NAME: deadLetterBucket,
    CLAIM_CHECK_BUCKET_NAME: claimCheckBucket,
    REJECTS_QUEUE_URL: ref('AWS::SQS::Queue', 'DeadLettersRejectsQueue'),
    PUT_EVENTS_REQUEST_BYTES: '262144',
  },
  Rescuer: { DEAD_LETTER_BUCKET_NAME: deadLetterBucket },
  LakeReplayer: {
    DEAD_LETTER_BUCKET_NAME: deadLetterBucket,
    LAKE_WRITER_FUNCTION_NAME: ref('AWS::Lambda::Function', 'LakeWriter'),
  },
  Replayer: {
    DEAD_LETTER_BUCKET_NAME: deadLetterBucket,
    ENRICHER_FUNCTION_NAME: ref('AWS::Lambda::Function', 'Enricher'),
    ROUTER_FUNCTION_NAME: ref('AWS::Lambda::Function', 'Router'),
  },
  ExportsCoordinator: { ...exportStores, EVENT_BUS_NAME: ref('AWS::Events::EventBus', 'ChangeBus') },
  ExportsStarter: {
    ...exportStores,
    EXPORT_KEY_ARN: { 'Fn::GetAtt': [resource(template, 'AWS::KMS::Key').logicalId, 'Arn'] },
    DATA_ACCESS_ROLE_ARN: { 'Fn::GetAtt': [resource(template, 'AWS::IAM::Role', 'ExportsData').logicalId, 'Arn'] },
    POLL_QUEUE_URL: ref('AWS::SQS::Queue', 'ExportsPollsQueue'),
  },
  ExportsPoller: { ...exportStores, POLL_QUEUE_URL: ref('AWS::SQS::Queue', 'ExportsPollsQueue') },
  ExportsPublisher: {
    ...exportStores,
    EVENT_BUS_NAME: ref('AWS::Events::EventBus', 'ChangeBus'),
    PUT_EVENTS_REQUEST_BYTES: '262144',
    CLAIM_CHECK_BUCKET_NAME: claimCheckBucket,
    DEAD_LETTER_BUCKET_NAME: deadLetterBucket,
  },
};

for (const [prefix, environment] of Object.entries(environments)) {
  test(`I6: the environment of ${prefix} is names and numbers, and no secret`, () => {
    const { Properties } = resource(template, 'AWS::Lambda::Function', prefix);
    assert.deepEqual(Properties.Environment.Variables, { ...environment, ...common });
  });
}

test('the code maps and the request limit reach the functions', () => {
  const codeMaps = { gender: { M: 'male' } };
  const { template } = synthesize({ options: { codeMaps, putEventsRequestBytes: 1_048_576 } });
  const variables = (prefix: string) =>
    resource(template, 'AWS::Lambda::Function', prefix).Properties.Environment.Variables;
  assert.equal(variables('Enricher').CODE_MAPS, JSON.stringify(codeMaps));
  assert.equal(variables('Router').PUT_EVENTS_REQUEST_BYTES, '1048576');
});

test('functions run on Graviton, on the runtime for binaries, each with a log group that ends', () => {
  const functions = Object.values(resourcesOf(template, 'AWS::Lambda::Function'));
  assert.deepEqual(functions.map(({ Properties }) => Properties.FunctionName).sort(), [
    'tributary-dev-dead-letter-replayer',
    'tributary-dev-dead-letter-rescuer',
    'tributary-dev-export-coordinator',
    'tributary-dev-export-poller',
    'tributary-dev-export-publisher',
    'tributary-dev-export-starter',
    'tributary-dev-item-router',
    'tributary-dev-lake-compactor',
    'tributary-dev-lake-replayer',
    'tributary-dev-lake-writer',
    'tributary-dev-stream-enricher',
  ]);
  for (const { Properties } of functions) {
    assert.deepEqual(Properties.Architectures, ['arm64']);
    assert.equal(Properties.Runtime, 'provided.al2023');
    const logGroup = resourcesOf(template)[Properties.LoggingConfig.LogGroup.Ref];
    assert.equal(logGroup?.Properties.LogGroupName, `/aws/lambda/${Properties.FunctionName}`);
    assert.equal(logGroup?.Properties.RetentionInDays, 365);
  }
});

test('locally functions run on this machine', () => {
  for (const { Properties } of Object.values(resourcesOf(localExports.template, 'AWS::Lambda::Function'))) {
    assert.deepEqual(Properties.Architectures, [process.arch === 'arm64' ? 'arm64' : 'x86_64']);
  }
});

test('the endpoint of whoever deploys never gets into a template', () => {
  const endpoint = 'http://localhost:4566';
  const environment = { AWS_ENDPOINT_URL: endpoint, AWS_ENDPOINT_URL_HEALTHLAKE: endpoint };
  const { template } = synthesize({ environment, options: { datastores } });
  assert.doesNotMatch(JSON.stringify(template.toJSON()), /AWS_ENDPOINT_URL|localhost/);
});

test('locally the functions that talk to HealthLake get the endpoint of its stand-in, and the others none', () => {
  const AWS_ENDPOINT_URL_HEALTHLAKE = 'http://127.0.0.1:4567';
  const environment = { AWS_ENDPOINT_URL: 'http://127.0.0.1:4566', AWS_ENDPOINT_URL_HEALTHLAKE };
  const { template } = synthesize({ target: 'local', environment, options: { datastores } });
  const told = Object.values(resourcesOf(template, 'AWS::Lambda::Function')).filter(({ Properties }) =>
    JSON.stringify(Properties.Environment).includes('AWS_ENDPOINT_URL'),
  );
  assert.deepEqual(
    told.map(({ Properties }) => [
      Properties.FunctionName,
      Properties.Environment.Variables.AWS_ENDPOINT_URL_HEALTHLAKE,
    ]),
    ['coordinator', 'starter', 'poller'].map((name) => [`tributary-dev-export-${name}`, AWS_ENDPOINT_URL_HEALTHLAKE]),
  );
});

test('a function that is not built yet is named, with the command that builds it', () => {
  assert.throws(() => synthesize({ target: 'local', options: { functionsDirectory: '/nowhere' } }), {
    name: 'DeployerError',
    message: /\/nowhere\/stream-enricher holds no bootstrap: run `cargo xtask build-functions` first/,
  });
});

test('I1: the rescuer reports single failures and has time to finish before a message comes back', () => {
  const mapping = resource(template, 'AWS::Lambda::EventSourceMapping', 'Rescuer').Properties;
  const queue = resource(template, 'AWS::SQS::Queue', 'ChangePipeDeadLetterQueue');
  const rescuer = resource(template, 'AWS::Lambda::Function', 'Rescuer');
  assert.deepEqual(mapping.EventSourceArn, { 'Fn::GetAtt': [queue.logicalId, 'Arn'] });
  assert.deepEqual(mapping.FunctionResponseTypes, ['ReportBatchItemFailures']);
  assert.ok(queue.Properties.VisibilityTimeout >= 6 * rescuer.Properties.Timeout);
});

for (const replayer of ['Replayer', 'LakeReplayer']) test(`nothing triggers ${replayer}`, () => {
  const { logicalId } = resource(localExports.template, 'AWS::Lambda::Function', replayer);
  const { Resources } = localExports.template.toJSON();
  const referring = Object.keys(Resources).filter(
    (id) => id !== logicalId && JSON.stringify(Resources[id]).includes(logicalId),
  );
  assert.deepEqual(
    referring.filter((id) => Resources[id].Type !== 'AWS::CloudWatch::Alarm'),
    [],
  );
});

test('I7: a publisher has one processor, and so much time for its range as Lambda gives', () => {
  const { MemorySize, Timeout } = resource(template, 'AWS::Lambda::Function', 'ExportsPublisher').Properties;
  assert.deepEqual([MemorySize, Timeout], [1_769, 900]);
  const others = Object.entries(resourcesOf(template, 'AWS::Lambda::Function')).filter(
    ([logicalId]) => !/^(ExportsPublisher|LakeCompactor)/.test(logicalId),
  );
  for (const [logicalId, { Properties }] of others) assert.equal(Properties.MemorySize, 512, logicalId);
});
