import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports, localExports } from './exports.ts';
import { aws, list, local, resource, resourcesOf, statementsOf, textOf, type Statement } from './synthesize.ts';

/** What every function may do to its own log group. */
const ownLog = ['logs:CreateLogStream', 'logs:PutLogEvents'];

/** What a function needs to write down how far a run is. */
const advanceRun = ['dynamodb:GetItem', 'dynamodb:PutItem'];

const actions: Record<string, string[]> = {
  Enricher: [...ownLog, 'dynamodb:Query', 's3:PutObject', 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'],
  Router: [
    ...ownLog,
    'events:PutEvents',
    's3:GetObject',
    's3:PutObject',
    'sqs:SendMessage',
    'kms:Decrypt',
    'kms:GenerateDataKey',
  ],
  Rescuer: [
    ...ownLog,
    'dynamodb:DescribeStream',
    'dynamodb:GetRecords',
    'dynamodb:GetShardIterator',
    's3:PutObject',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    'sqs:ReceiveMessage',
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:GenerateDataKey',
  ],
  LakeReplayer: [...ownLog, 'lambda:InvokeFunction', 's3:DeleteObject', 's3:GetObject', 's3:ListBucket', 'kms:Decrypt'],
  Replayer: [...ownLog, 'lambda:InvokeFunction', 's3:DeleteObject', 's3:GetObject', 's3:ListBucket', 'kms:Decrypt'],
  ChangePipe: [
    ...ownLog,
    'dynamodb:DescribeStream',
    'dynamodb:GetRecords',
    'dynamodb:GetShardIterator',
    'dynamodb:ListStreams',
    'lambda:InvokeFunction',
    'sqs:SendMessage',
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:GenerateDataKey',
  ],
  LakeWriter: [
    ...ownLog,
    'dynamodb:DescribeStream',
    'dynamodb:GetRecords',
    'dynamodb:GetShardIterator',
    'dynamodb:ListStreams',
    'glue:BatchCreatePartition',
    'glue:BatchUpdatePartition',
    'glue:GetTable',
    's3:ListBucket',
    's3:PutObject',
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:GenerateDataKey',
  ],
  LakeCompactor: [
    ...ownLog,
    'glue:BatchCreatePartition',
    'glue:BatchUpdatePartition',
    'glue:GetTable',
    's3:DeleteObject',
    's3:GetObject',
    's3:ListBucket',
    's3:PutObject',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    'sqs:ReceiveMessage',
    'sqs:SendMessage',
    'kms:Decrypt',
    'kms:GenerateDataKey',
  ],
  LakeSchedule: ['lambda:InvokeFunction', 'sqs:SendMessage', 'kms:Decrypt', 'kms:GenerateDataKey'],
  ExportsCoordinator: [
    ...ownLog,
    ...advanceRun,
    'dynamodb:Query',
    'events:PutEvents',
    'healthlake:CancelFHIRExportJobWithDelete',
    'healthlake:ListFHIRExportJobs',
    's3:GetObject',
    's3:ListBucket',
    'sqs:SendMessage',
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:GenerateDataKey',
  ],
  ExportsStarter: [
    ...ownLog,
    ...advanceRun,
    'healthlake:CancelFHIRExportJobWithDelete',
    'healthlake:ListFHIRExportJobs',
    'healthlake:StartFHIRExportJobWithPost',
    'iam:PassRole',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    'sqs:ReceiveMessage',
    'sqs:SendMessage',
    'states:SendTaskFailure',
    'states:SendTaskHeartbeat',
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:GenerateDataKey',
  ],
  ExportsPoller: [
    ...ownLog,
    ...advanceRun,
    'healthlake:CancelFHIRExportJobWithDelete',
    'healthlake:DescribeFHIRExportJobWithGet',
    's3:GetObject',
    's3:ListBucket',
    's3:PutObject',
    'sqs:DeleteMessage',
    'sqs:GetQueueAttributes',
    'sqs:ReceiveMessage',
    'sqs:SendMessage',
    'states:SendTaskFailure',
    'states:SendTaskHeartbeat',
    'states:SendTaskSuccess',
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:GenerateDataKey',
  ],
  ExportsPublisher: [
    ...ownLog,
    ...advanceRun,
    'events:PutEvents',
    's3:GetObject',
    's3:ListBucket',
    's3:PutObject',
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:GenerateDataKey',
  ],
  ExportsData: [
    's3:GetBucketPublicAccessBlock',
    's3:GetEncryptionConfiguration',
    's3:ListBucket',
    's3:PutObject',
    'kms:DescribeKey',
    'kms:GenerateDataKey*',
  ],
  ...ofDatastore('Clinic'),
  ...ofDatastore('CareRecords'),
};

function ofDatastore(name: string): Record<string, string[]> {
  return {
    [`Exports${name}ExportsStateMachine`]: [
      'lambda:InvokeFunction',
      'logs:CreateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
      'logs:GetLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:UpdateLogDelivery',
      's3:GetObject',
      'sqs:SendMessage',
      'states:DescribeExecution',
      'states:StartExecution',
      'states:StopExecution',
      'kms:Decrypt',
      'kms:GenerateDataKey',
    ],
    [`Exports${name}ExportsSchedule`]: [
      'sqs:SendMessage',
      'states:StartExecution',
      'kms:Decrypt',
      'kms:GenerateDataKey',
    ],
  };
}

function policyOf(prefix: string): Statement[] {
  return statementsOf(resource(awsExports.template, 'AWS::IAM::Policy', `${prefix}Role`));
}

for (const [prefix, expected] of Object.entries(actions)) {
  test(`${prefix} may do exactly what it does`, () => {
    const granted = new Set(policyOf(prefix).flatMap(({ Action }) => list(Action)));
    assert.deepEqual([...granted].sort(), [...expected].sort());
  });
}

test('there are no other roles, and no managed policies', () => {
  const roles = resourcesOf(awsExports.template, 'AWS::IAM::Role');
  assert.equal(Object.keys(roles).length, Object.keys(actions).length);
  for (const { Properties } of Object.values(roles)) assert.equal(Properties.ManagedPolicyArns, undefined);
});

test('without datastores there are no roles for exports', () => {
  const withoutExports = Object.keys(actions).filter((prefix) => !prefix.startsWith('Exports'));
  assert.equal(Object.keys(resourcesOf(aws.template, 'AWS::IAM::Role')).length, withoutExports.length);
});

const compacted = ['LakeFiles/commits/*', 'LakeFiles/compact/items/*', 'LakeFiles/latest/items/*'];

const objectPrefixes: [role: string, action: string, objects: string[]][] = [
  ['LakeWriter', 's3:PutObject', ['DeadLetters/aws/lambda/*', 'DeadLetters/dead/lake/*', 'LakeFiles/raw/items/*']],
  ['LakeCompactor', 's3:GetObject', [...compacted, 'LakeFiles/raw/items/*']],
  ['LakeCompactor', 's3:PutObject', compacted],
  ['LakeCompactor', 's3:DeleteObject', [...compacted, 'LakeFiles/raw/items/*']],
  ['Enricher', 's3:PutObject', ['ClaimCheck/changes/*', 'ClaimCheck/rejects/*']],
  ['Router', 's3:PutObject', ['ClaimCheck/changes/*', 'DeadLetters/dead/*']],
  ['Router', 's3:GetObject', ['ClaimCheck/rejects/*']],
  ['Rescuer', 's3:PutObject', ['DeadLetters/dead/*']],
  ['Replayer', 's3:GetObject', ['DeadLetters/dead/*']],
  ['Replayer', 's3:DeleteObject', ['DeadLetters/dead/*']],
  ['LakeReplayer', 's3:GetObject', ['DeadLetters/aws/lambda/*', 'DeadLetters/dead/lake/*']],
  ['LakeReplayer', 's3:DeleteObject', ['DeadLetters/aws/lambda/*', 'DeadLetters/dead/lake/*']],
  ['ExportsData', 's3:PutObject', ['ExportsFiles/exports/*']],
  ['ExportsCoordinator', 's3:GetObject', ['ExportsFiles/results/*']],
  ['ExportsPoller', 's3:GetObject', ['ExportsFiles/exports/*']],
  ['ExportsPoller', 's3:PutObject', ['ExportsFiles/manifests/*']],
  ['ExportsPublisher', 's3:GetObject', ['ExportsFiles/exports/*', 'ExportsFiles/results/*']],
  ['ExportsPublisher', 's3:PutObject', ['ClaimCheck/fhir/*', 'DeadLetters/dead/lines/*', 'ExportsFiles/results/*']],
  ['ExportsClinicExportsStateMachine', 's3:GetObject', ['ExportsFiles/manifests/*']],
];

for (const [role, action, objects] of objectPrefixes) {
  test(`${role}: ${action} under ${objects.join(' and ')} alone`, () => {
    const statements = policyOf(role).filter(({ Action }) => list(Action).includes(action));
    assert.deepEqual(statements.flatMap(({ Resource }) => list(Resource).map(objectsNamed)).sort(), objects);
  });
}

/** `{"Fn::Join": ["", [{"Fn::GetAtt": ["ClaimCheckBucket…", "Arn"]}, "/changes/*"]]}` as `ClaimCheck/changes/*`. */
function objectsNamed(resourceArn: any): string {
  const [bucketArn, path] = resourceArn['Fn::Join'][1];
  return bucketArn['Fn::GetAtt'][0].replace(/Bucket.*/, '') + path;
}

const listed: [role: string, bucket: string][] = [
  ['Replayer', 'DeadLetters'],
  ['LakeReplayer', 'DeadLetters'],
  ['LakeCompactor', 'LakeFiles'],
  ['ExportsCoordinator', 'ExportsFiles'],
  ['ExportsPoller', 'ExportsFiles'],
  ['ExportsPublisher', 'ExportsFiles'],
];

for (const [role, bucket] of listed) {
  test(`${role} may list ${bucket} alone, and all of it, so that what is gone is not taken for forbidden`, () => {
    const statements = policyOf(role).filter(({ Action }) => list(Action).includes('s3:ListBucket'));
    const named = statements.map(({ Resource, Condition }) => [
      textOf(Resource).replace(/[0-9A-F]{8}(?=[.>])/g, ''),
      Condition,
    ]);
    assert.deepEqual(named, [[`<${bucket}Bucket.Arn>`, undefined]]);
  });
}

test('LakeWriter reads nothing of the lake, and of the dead letters nothing but their keys', () => {
  const statements = policyOf('LakeWriter').filter(({ Action }) => list(Action).some((name) => /^s3:(?!Put)/.test(name)));
  const named = statements.map(({ Action, Resource }) => [Action, textOf(Resource).replace(/[0-9A-F]{8}(?=[.>])/g, '')]);
  assert.deepEqual(named, [['s3:ListBucket', '<DeadLettersBucket.Arn>']]);
  const keyed = policyOf('LakeWriter').filter(({ Action }) => list(Action).includes('kms:Decrypt'));
  assert.match(JSON.stringify(keyed.map(({ Condition }) => Condition)), /streams\.dynamodb/);
  assert.doesNotMatch(JSON.stringify(keyed.map(({ Condition }) => Condition)), /"s3\./);
});

/** What a role may use of the lake and of the exports, apart from the buckets' objects, as `<kind>:<name>`. */
const resources: [role: string, action: string, resources: string[]][] = [
  ['LakeWriter', 'glue:BatchCreatePartition', ['catalog', 'database/<LakeCatalogDatabase>', partitioned('raw')]],
  ['LakeWriter', 'glue:BatchUpdatePartition', ['catalog', 'database/<LakeCatalogDatabase>', partitioned('raw')]],
  ['LakeWriter', 'glue:GetTable', ['catalog', 'database/<LakeCatalogDatabase>', partitioned('raw')]],
  ['LakeCompactor', 'glue:BatchCreatePartition', ['catalog', 'database/<LakeCatalogDatabase>', partitioned('compact')]],
  ['LakeCompactor', 'glue:BatchUpdatePartition', ['catalog', 'database/<LakeCatalogDatabase>', partitioned('compact')]],
  ['LakeCompactor', 'glue:GetTable', ['catalog', 'database/<LakeCatalogDatabase>', partitioned('compact')]],
  ['LakeCompactor', 'sqs:SendMessage', ['<LakeCompactionsQueue.Arn>']],
  ['LakeCompactor', 'sqs:ReceiveMessage', ['<LakeCompactionsQueue.Arn>']],
  ['LakeSchedule', 'lambda:InvokeFunction', ['<LakeCompactorFunction.Arn>']],
  ['LakeSchedule', 'sqs:SendMessage', ['<LakeScheduleDeadLetterQueue.Arn>']],
  ['ExportsStarter', 'iam:PassRole', ['<ExportsDataRole.Arn>']],
  ['ExportsStarter', 'healthlake:StartFHIRExportJobWithPost', datastoreArns()],
  ['ExportsPoller', 'healthlake:DescribeFHIRExportJobWithGet', datastoreArns()],
  ['ExportsCoordinator', 'healthlake:CancelFHIRExportJobWithDelete', datastoreArns()],
  ['ExportsStarter', 'states:SendTaskFailure', stateMachines()],
  ['ExportsPoller', 'states:SendTaskSuccess', stateMachines()],
  ['ExportsClinicExportsSchedule', 'states:StartExecution', ['<ExportsClinicExportsStateMachine>']],
  ['ExportsClinicExportsStateMachine', 'states:StartExecution', ['stateMachine:tributary-dev-export-clinic']],
  [
    'ExportsClinicExportsStateMachine',
    'states:StopExecution',
    ['execution:tributary-dev-export-clinic/PublishRanges:*', 'execution:tributary-dev-export-clinic:*'],
  ],
  [
    'ExportsClinicExportsStateMachine',
    'lambda:InvokeFunction',
    ['<ExportsCoordinatorFunction.Arn>', '<ExportsPublisherFunction.Arn>'],
  ],
  ['ExportsClinicExportsStateMachine', 'sqs:SendMessage', ['<ExportsStartsQueue.Arn>']],
  ['ExportsStarter', 'sqs:ReceiveMessage', ['<ExportsStartsQueue.Arn>']],
  ['ExportsStarter', 'sqs:SendMessage', ['<ExportsPollsQueue.Arn>']],
  ['ExportsPublisher', 'dynamodb:PutItem', ['<ExportsRunsTable.Arn>']],
];

function partitioned(table: string): string {
  return `table/<LakeCatalogDatabase>/${table}`;
}

function datastoreArns(): string[] {
  return ['datastore/fhir/0123456789abcdef0123456789abcdef', 'datastore/fhir/<ExportsClinicDatastore.DatastoreId>'];
}

function stateMachines(): string[] {
  return ['<ExportsCareRecordsExportsStateMachine>', '<ExportsClinicExportsStateMachine>'];
}

for (const [role, action, expected] of resources) {
  test(`${role}: ${action} on ${expected.join(' and ')} alone`, () => {
    const statements = policyOf(role).filter(({ Action }) => list(Action).includes(action));
    const named = statements.flatMap(({ Resource }) => list(Resource)).map((arn) =>
      textOf(arn)
        .replace(/^arn:.*<AWS::AccountId>:/, '')
        .replace(/[0-9A-F]{8}(?=[.>])/g, ''),
    );
    assert.deepEqual(named.sort(), expected);
  });
}

test('the data role is passed to HealthLake alone', () => {
  const [statement] = policyOf('ExportsStarter').filter(({ Action }) => Action === 'iam:PassRole');
  assert.deepEqual(statement?.Condition, { StringEquals: { 'iam:PassedToService': 'healthlake.amazonaws.com' } });
});

/** Each statement whose resource is a bare `*`, with the reason why it has to be. */
const bareWildcards: Record<string, string> = {
  'Key: the account': "in a key policy * is this key; IAM policies of the account's roles take effect through this one",
  'Key: EventBridgeValidatesKey': 'in a key policy * is this key',
  'Key: EventBridgeEncryptsBusAndArchive': 'in a key policy * is this key; the encryption context names the bus',
  'Key: EventBridgeSendsToQueues': 'in a key policy * is this key; the source is the bus or one of its rules',
  'Key: AlarmsPublishToTopic': 'in a key policy * is this key; the source is an alarm of the deployment',
  'Key: LogsEncryptLogGroups': 'in a key policy * is this key; the encryption context names the log groups',
};

/** The same, where there are datastores. */
const bareWildcardsOfExports: Record<string, string> = {
  'Key: LogDeliveryDecryptsLogs': 'in a key policy * is this key; the encryption context names the logs of the account',
  'ExportsClinicExportsStateMachineRoleDefaultPolicy: DeliverLogs': 'log delivery is set up by actions without resources',
  'ExportsCareRecordsExportsStateMachineRoleDefaultPolicy: DeliverLogs': 'the same',
};

for (const [name, { template }] of Object.entries({ aws, local, awsExports, localExports })) {
  test(`no statement has a bare * as its resource but those with a reason (${name})`, () => {
    const found = Object.entries(resourcesOf(template)).flatMap(([logicalId, { Properties }]) =>
      allStatements(Properties)
        .filter(({ Resource }) => list(Resource).includes('*'))
        .map(({ Sid }) => `${logicalId.replace(/[0-9A-F]{8}$/, '')}: ${Sid ?? 'the account'}`),
    );
    const reasons = { ...bareWildcards, ...(name.endsWith('Exports') ? bareWildcardsOfExports : {}) };
    assert.deepEqual(found.sort(), Object.keys(reasons).sort());
  });

  test(`no statement allows all actions of a service, but for the account on its key (${name})`, () => {
    const found = Object.values(resourcesOf(template)).flatMap(({ Properties }) =>
      allStatements(Properties)
        .filter(({ Effect }) => Effect === 'Allow')
        .flatMap(({ Action }) => list(Action))
        .filter((action) => action === '*' || action.endsWith(':*')),
    );
    assert.deepEqual(found, ['kms:*']);
  });
}

/** The statements of every policy document anywhere in a resource. */
function allStatements(value: unknown): Statement[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('Statement' in value && Array.isArray(value.Statement)) return value.Statement;
  return Object.values(value).flatMap(allStatements);
}
