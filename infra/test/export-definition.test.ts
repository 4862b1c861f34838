import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awsExports } from './exports.ts';
import { resource, textOf } from './synthesize.ts';

type State = Record<string, any>;

/** The definition of a datastore's state machine, with references as `<LogicalId>`. */
function definition(datastore: string): State {
  const machine = resource(awsExports.template, 'AWS::StepFunctions::StateMachine', `Exports${datastore}`);
  return JSON.parse(textOf(machine.Properties.DefinitionString));
}

const clinic = definition('Clinic');
const careRecords = definition('CareRecords');
const publishRange: State = clinic.States.PublishRanges.ItemProcessor.States.PublishRange;
const allStates: Record<string, State> = { ...clinic.States, PublishRange: publishRange };

function arn(type: string, prefix: string): string {
  return `<${resource(awsExports.template, type, prefix).logicalId}.Arn>`;
}

const coordinator = arn('AWS::Lambda::Function', 'ExportsCoordinator');
const publisher = arn('AWS::Lambda::Function', 'ExportsPublisher');
const clinicId = `<${resource(awsExports.template, 'AWS::HealthLake::FHIRDatastore').logicalId}.DatastoreId>`;
const lambdaInvoke = 'arn:<AWS::Partition>:states:::lambda:invoke';

test('the states follow one another as the flow says', () => {
  const next = Object.entries(allStates).map(([name, { Next, Choices, Default }]) => [
    name,
    Choices === undefined ? Next : [...Choices.map((choice: State) => choice.Next), Default],
  ]);
  assert.equal(clinic.StartAt, 'TakeLease');
  assert.deepEqual(Object.fromEntries(next), {
    TakeLease: 'IsLeased',
    IsLeased: ['Export', 'Skipped'],
    Skipped: undefined,
    Export: 'IsAnythingExported',
    IsAnythingExported: ['PublishRanges', 'Commit'],
    PublishRanges: 'Commit',
    PublishRange: undefined,
    Commit: 'IsComplete',
    IsComplete: ['Completed', 'Incomplete'],
    Completed: undefined,
    Incomplete: undefined,
    RecordFailure: 'Failed',
    Failed: undefined,
  });
  for (const name of ['Skipped', 'Completed', 'Incomplete']) assert.equal(allStates[name]?.Type, 'Succeed', name);
});

test('everything is JSONata, and every state says what it is for', () => {
  assert.equal(clinic.QueryLanguage, 'JSONata');
  assert.doesNotMatch(JSON.stringify(clinic), /"JSONPath"|\.\$"/);
  assert.ok(clinic.Comment.length > 0);
  for (const [name, { Comment }] of Object.entries(allStates)) assert.ok(Comment?.length > 0, name);
});

test('choices look at what the coordinator and the poller answered', () => {
  const conditions = ['IsLeased', 'IsAnythingExported', 'IsComplete'].map((name) => allStates[name]?.Choices);
  assert.deepEqual(conditions, [
    [{ Condition: "{% $outcome = 'leased' %}", Next: 'Export' }],
    [{ Condition: '{% $export.ranges > 0 %}', Next: 'PublishRanges' }],
    [{ Condition: "{% $status = 'COMPLETED' %}", Next: 'Completed' }],
  ]);
});

test('I4: the lease is asked for with the name and the start of the execution, and the options of the datastore', () => {
  const { Resource, Arguments, Assign } = clinic.States.TakeLease;
  assert.equal(Resource, lambdaInvoke);
  assert.deepEqual(Arguments, {
    FunctionName: coordinator,
    Payload: {
      step: 'begin',
      run: {
        id: '{% $states.context.Execution.Name %}',
        executionArn: '{% $states.context.Execution.Id %}',
        startedAt: '{% $states.context.Execution.StartTime %}',
      },
      request: '{% $states.context.Execution.Input %}',
      datastore: {
        id: clinicId,
        scope: { kind: 'system' },
        resourceTypes: [],
        tags: [],
        overlapSeconds: 120,
        leaseSeconds: 900,
        rangeBytes: 67_108_864,
        poll: { firstDelaySeconds: 10, longestDelaySeconds: 120, runningLimitSeconds: 21_600 },
      },
    },
  });
  // A skipped run has no `run`, and JSONata fails on what is not there.
  assert.deepEqual(Assign, {
    outcome: '{% $states.result.Payload.outcome %}',
    run: '{% $exists($states.result.Payload.run) ? $states.result.Payload.run : null %}',
  });
});

test('the options of a datastore reach its own state machine', () => {
  const { datastore } = careRecords.States.TakeLease.Arguments.Payload;
  assert.equal(datastore.id, '0123456789abcdef0123456789abcdef');
  assert.deepEqual(datastore.scope, { kind: 'group', groupId: 'diabetes' });
  assert.deepEqual(datastore.resourceTypes, ['Patient', 'Observation']);
  assert.deepEqual(datastore.tags, ['http://example.org/tags|research']);
  assert.equal(datastore.poll.runningLimitSeconds, 3_600);
  assert.equal(careRecords.States.Export.HeartbeatSeconds, 300);
  assert.equal(careRecords.States.Export.TimeoutSeconds, 7_200);
  assert.equal(careRecords.States.PublishRanges.MaxConcurrency, 3);
});

test('the export waits for its task token, with heartbeat and timeout', () => {
  const { Resource, Arguments, HeartbeatSeconds, TimeoutSeconds, Assign } = clinic.States.Export;
  assert.equal(Resource, 'arn:<AWS::Partition>:states:::sqs:sendMessage.waitForTaskToken');
  assert.deepEqual(Arguments, {
    QueueUrl: `<${resource(awsExports.template, 'AWS::SQS::Queue', 'ExportsStartsQueue').logicalId}>`,
    MessageBody: { taskToken: '{% $states.context.Task.Token %}', run: '{% $run %}' },
  });
  assert.deepEqual([HeartbeatSeconds, TimeoutSeconds], [600, 86_400]);
  assert.deepEqual(Assign, { export: '{% $states.result %}' });
});

test('the map reads the ranges from the manifest and gives each to a publisher of its own', () => {
  const { Type, Label, ItemReader, ItemSelector, ItemProcessor, MaxConcurrency, ...map } = clinic.States.PublishRanges;
  assert.deepEqual([Type, Label, MaxConcurrency], ['Map', 'PublishRanges', 8]);
  assert.deepEqual(ItemReader, {
    Resource: 'arn:<AWS::Partition>:states:::s3:getObject',
    ReaderConfig: { InputType: 'JSON' },
    Arguments: {
      Bucket: `<${resource(awsExports.template, 'AWS::S3::Bucket', 'ExportsFiles').logicalId}>`,
      Key: '{% $export.manifestKey %}',
    },
  });
  assert.deepEqual(ItemSelector, { run: '{% $run %}', range: '{% $states.context.Map.Item.Value %}' });
  assert.deepEqual(ItemProcessor.ProcessorConfig, { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' });
  assert.deepEqual(publishRange.Arguments, { FunctionName: publisher, Payload: '{% $states.input %}' });
  assert.equal(publishRange.End, true);
  // One range that fails fails the run: without a tolerance the map tolerates nothing.
  assert.deepEqual(Object.keys(map).filter((name) => name.startsWith('Tolerated')), []);
});

test('no state hands on more than a constant: what the states know is in variables, and in S3', () => {
  for (const [name, { Type, Output }] of Object.entries(allStates)) {
    if (Type === 'Task' || Type === 'Map') assert.deepEqual(Output, {}, name);
  }
});

test('I5: the commit has the run as it was leased, and what was exported', () => {
  const { Resource, Arguments, Assign } = clinic.States.Commit;
  assert.equal(Resource, lambdaInvoke);
  assert.deepEqual(Arguments, {
    FunctionName: coordinator,
    Payload: { step: 'commit', run: '{% $run %}', export: '{% $export %}' },
  });
  assert.deepEqual(Assign, { status: '{% $states.result.Payload.status %}' });
});

test('every failure is recorded, with its name and its cause', () => {
  for (const [name, { Type, Catch }] of Object.entries(clinic.States as Record<string, State>)) {
    if (!['Task', 'Map'].includes(Type) || name === 'RecordFailure') continue;
    assert.deepEqual(
      Catch,
      [
        {
          ErrorEquals: ['States.ALL'],
          Next: 'RecordFailure',
          Output: {},
          Assign: {
            caught: {
              name: "{% $exists($states.errorOutput.Error) ? $states.errorOutput.Error : '' %}",
              cause: "{% $exists($states.errorOutput.Cause) ? $states.errorOutput.Cause : '' %}",
            },
          },
        },
      ],
      name,
    );
  }
  const { Resource, Arguments, Assign } = clinic.States.RecordFailure;
  assert.equal(Resource, lambdaInvoke);
  assert.deepEqual(Arguments, {
    FunctionName: coordinator,
    Payload: {
      step: 'fail',
      datastoreId: clinicId,
      // From the context, because a run that failed to take the lease has no variable `run`.
      run: { id: '{% $states.context.Execution.Name %}', startedAt: '{% $states.context.Execution.StartTime %}' },
      error: '{% $caught %}',
    },
  });
  assert.deepEqual(Assign, { failure: '{% $states.result.Payload %}' });
  const { Type, Error: name, Cause } = clinic.States.Failed;
  assert.deepEqual([Type, name, Cause], ['Fail', '{% $failure.code %}', '{% $failure.cause %}']);
});

test('a function is tried again for what may pass, and for no error that has a name of its own', () => {
  const invoked = Object.entries(allStates).filter(([, { Resource }]) => Resource === lambdaInvoke);
  assert.deepEqual(invoked.map(([name]) => name).sort(), ['Commit', 'PublishRange', 'RecordFailure', 'TakeLease']);
  for (const [name, { Retry }] of invoked) {
    assert.deepEqual(
      Retry,
      [
        {
          ErrorEquals: [
            'Lambda.ServiceException',
            'Lambda.AWSLambdaException',
            'Lambda.SdkClientException',
            'Lambda.TooManyRequestsException',
            'Lambda.Unknown',
            'Sandbox.Timedout',
            'Runtime.ExitError',
            'DependencyFailed',
          ],
          IntervalSeconds: 1,
          BackoffRate: 2,
          MaxDelaySeconds: 30,
          MaxAttempts: 6,
          JitterStrategy: 'FULL',
        },
      ],
      name,
    );
  }
  assert.equal(clinic.States.Export.Retry, undefined);
});

test('no variable has the name of a function of JSONata', () => {
  const variables = new Set(Object.values(allStates).flatMap(({ Assign, Catch }) =>
    [Assign, ...(Catch ?? []).map((caught: State) => caught.Assign)].flatMap((assign) => Object.keys(assign ?? {})),
  ));
  assert.deepEqual([...variables].sort(), ['caught', 'export', 'failure', 'outcome', 'run', 'status']);
});
