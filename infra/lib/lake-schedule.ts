import { Duration, Stack } from 'aws-cdk-lib';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';
import { resourceName, type Deployment } from './deployment.ts';
import { EncryptedQueue } from './encrypted-queue.ts';
import type { LakeCompactor } from './lake-compactor.ts';
import { schedulerRole } from './scheduler-role.ts';

export interface LakeScheduleProps extends Deployment {
  readonly compactor: LakeCompactor;
}

/** Has the compactor look, again and again, for what is due. */
export class LakeSchedule extends Construct {
  /** For plans that EventBridge Scheduler could not hand over. */
  readonly deadLetterQueue: EncryptedQueue;

  constructor(scope: Construct, id: string, props: LakeScheduleProps) {
    super(scope, id);
    const { options, key, compactor } = props;
    const scheduleName = resourceName(options, 'lake-compaction');
    this.deadLetterQueue = new EncryptedQueue(this, 'DeadLetterQueue', {
      ...props,
      name: 'lake-compaction-dead-letters',
    });
    acknowledge(this.deadLetterQueue, {
      'AwsSolutions-SQS3': 'this queue is itself the dead-letter queue of a schedule, a use that the rule does not know',
    });

    const role = schedulerRole(this, `What the schedule ${scheduleName} may do`);
    compactor.grantInvoke(role);
    this.deadLetterQueue.grantSend(role);
    // EventBridge Scheduler user guide, "Encryption at rest": as the role itself, in the context of the schedule.
    const schedule = { service: 'scheduler', resource: 'schedule', resourceName: `default/${scheduleName}` };
    key.grantInContext(role, 'aws:scheduler:schedule:arn', Stack.of(this).formatArn(schedule), 'kms:Decrypt');

    new scheduler.Schedule(this, 'Schedule', {
      scheduleName,
      description: 'Has the lake compacted',
      schedule: scheduler.ScheduleExpression.expression(options.lake.compactionSchedule),
      key,
      target: new LambdaInvoke(compactor.function, {
        // Target and schedule would grant themselves the key without a condition.
        role: role.withoutPolicyUpdates(),
        input: scheduler.ScheduleTargetInput.fromObject({ plan: {} }),
        deadLetterQueue: this.deadLetterQueue,
        // The next plan finds all that this one would have.
        maxEventAge: Duration.hours(1),
      }),
    });
  }
}
