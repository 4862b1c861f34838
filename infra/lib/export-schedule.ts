import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';
import type { Datastore } from './datastore.ts';
import { resourceName, type Deployment } from './deployment.ts';
import type { EncryptedQueue } from './encrypted-queue.ts';
import type { ExportStateMachine } from './export-state-machine.ts';

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

    const role = this.createRole(scheduleName);
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

  private createRole(scheduleName: string): iam.Role {
    const stack = Stack.of(this);
    // EventBridge Scheduler user guide, "Cross-service confused deputy prevention": the source is the schedule's group, not
    // the schedule.
    const group = stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: 'default' });
    const role = new iam.Role(this, 'Role', {
      description: `What the schedule ${scheduleName} may do`,
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account, 'aws:SourceArn': group } },
      }),
    });
    acknowledge(role, {
      'HIPAA.Security-IAMNoInlinePolicy':
        'the policy is written for this role alone from what the constructs grant, and must come and go with it',
    });
    return role;
  }
}
