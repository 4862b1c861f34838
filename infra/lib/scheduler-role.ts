import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';

/** The role of one schedule of EventBridge Scheduler, in the account's default group. */
export function schedulerRole(scope: Construct, description: string): iam.Role {
  const stack = Stack.of(scope);
  // EventBridge Scheduler user guide, "Cross-service confused deputy prevention": the source is the schedule's group, not
  // the schedule.
  const group = stack.formatArn({ service: 'scheduler', resource: 'schedule-group', resourceName: 'default' });
  const role = new iam.Role(scope, 'Role', {
    description,
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
