import { Duration, Stack } from 'aws-cdk-lib';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import type { Datastore } from './datastore.ts';
import { resourceName, type Deployment } from './deployment.ts';
import type { EncryptedQueue } from './encrypted-queue.ts';
import type { ExportStateMachine } from './export-state-machine.ts';
import { schedulerRole } from './scheduler-role.ts';

export interface ExportScheduleProps extends Deployment {
  readonly datastore: Datastore;
  readonly stateMachine: ExportStateMachine;
  /** For starts that EventBridge Scheduler gave up. */
  readonly deadLetterQueue: EncryptedQueue;
}

/** Starts the runs of one datastore. */
export class ExportSchedule extends Construct {
  constructor(scope: Construct, id: string, props: ExportScheduleProps) {
    super(scope, id);
    const { options, key, datastore, stateMachine, deadLetterQueue } = props;
    const scheduleName = resourceName(options, `export-${datastore.name}`);

    const role = schedulerRole(this, `What the schedule ${scheduleName} may do`);
    stateMachine.grantStart(role);
    deadLetterQueue.grantSend(role);
    // EventBridge Scheduler user guide, "Encryption at rest": as the role itself, in the context of the schedule.
    const schedule = { service: 'scheduler', resource: 'schedule', resourceName: `default/${scheduleName}` };
    key.grantInContext(role, 'aws:scheduler:schedule:arn', Stack.of(this).formatArn(schedule), 'kms:Decrypt');

    new scheduler.Schedule(this, 'Schedule', {
      scheduleName,
      description: `Starts the exports of the datastore ${datastore.name}`,
      schedule: scheduler.ScheduleExpression.expression(datastore.settings.schedule),
      enabled: datastore.settings.scheduleEnabled,
      key,
      target: new StepFunctionsStartExecution(stateMachine.resource, {
        // Target and schedule would grant themselves the key without a condition.
        role: role.withoutPolicyUpdates(),
        input: scheduler.ScheduleTargetInput.fromObject({}),
        deadLetterQueue,
        // A start that is an hour late is worth no more than the next: that one's window reaches back to the same cursor.
        maxEventAge: Duration.hours(1),
      }),
    });
  }
}
