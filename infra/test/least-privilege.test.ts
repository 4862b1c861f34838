import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aws, list, local, resource, resourcesOf, statementsOf, type Statement } from './synthesize.ts';

/** What every function may do to its own log group. */
const ownLog = ['logs:CreateLogStream', 'logs:PutLogEvents'];

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
};

function policyOf(prefix: string): Statement[] {
  return statementsOf(resource(aws.template, 'AWS::IAM::Policy', `${prefix}Role`));
}

for (const [prefix, expected] of Object.entries(actions)) {
  test(`${prefix} may do exactly what it does`, () => {
    const granted = new Set(policyOf(prefix).flatMap(({ Action }) => list(Action)));
    assert.deepEqual([...granted].sort(), [...expected].sort());
  });
}

test('there are no other roles, and no managed policies', () => {
  const roles = resourcesOf(aws.template, 'AWS::IAM::Role');
  assert.equal(Object.keys(roles).length, Object.keys(actions).length);
  for (const { Properties } of Object.values(roles)) assert.equal(Properties.ManagedPolicyArns, undefined);
});

const objectPrefixes: [role: string, action: string, objects: string[]][] = [
  ['Enricher', 's3:PutObject', ['ClaimCheck/changes/*', 'ClaimCheck/rejects/*']],
  ['Router', 's3:PutObject', ['ClaimCheck/changes/*', 'DeadLetters/dead/*']],
  ['Router', 's3:GetObject', ['ClaimCheck/rejects/*']],
  ['Rescuer', 's3:PutObject', ['DeadLetters/dead/*']],
  ['Replayer', 's3:GetObject', ['DeadLetters/dead/*']],
  ['Replayer', 's3:DeleteObject', ['DeadLetters/dead/*']],
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

test('Replayer lists dead/ alone', () => {
  const [statement] = policyOf('Replayer').filter(({ Action }) => Action === 's3:ListBucket');
  assert.deepEqual(statement?.Condition, { StringLike: { 's3:prefix': 'dead/*' } });
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

for (const [name, { template }] of Object.entries({ aws, local })) {
  test(`no statement has a bare * as its resource but those with a reason (${name})`, () => {
    const found = Object.entries(resourcesOf(template)).flatMap(([logicalId, { Properties }]) =>
      allStatements(Properties)
        .filter(({ Resource }) => list(Resource).includes('*'))
        .map(({ Sid }) => `${logicalId.replace(/[0-9A-F]{8}$/, '')}: ${Sid ?? 'the account'}`),
    );
    assert.deepEqual(found.sort(), Object.keys(bareWildcards).sort());
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
