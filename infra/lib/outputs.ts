import { CfnOutput, type Stack } from 'aws-cdk-lib';
import type { ChangeQueue } from './change-queue.ts';

/** Gives each value an output of exactly that name: programs and the runbook look them up by it. */
export function addOutputs(stack: Stack, outputs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, name, { value });
}

/** `PatientChangeQueueUrl` and `PatientChangeDeadLetterQueueUrl`, for each item type. */
export function changeQueueOutputs(changeQueues: readonly ChangeQueue[]): Record<string, string> {
  const entries = changeQueues.flatMap(({ itemType, queue, deadLetterQueue }) => [
    [`${itemType.detailType}QueueUrl`, queue.queueUrl],
    [`${itemType.detailType}DeadLetterQueueUrl`, deadLetterQueue.queueUrl],
  ]);
  return Object.fromEntries(entries);
}
