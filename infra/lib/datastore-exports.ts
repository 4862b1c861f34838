import { Construct } from 'constructs';
import type { Datastore } from './datastore.ts';
import type { Deployment } from './deployment.ts';
import type { EncryptedQueue } from './encrypted-queue.ts';
import type { ExportBucket } from './export-bucket.ts';
import { ExportCleanUp } from './export-clean-up.ts';
import type { ExportCoordinator } from './export-coordinator.ts';
import type { ExportPoller } from './export-poller.ts';
import type { ExportPublisher } from './export-publisher.ts';
import { ExportSchedule } from './export-schedule.ts';
import type { ExportStarter } from './export-starter.ts';
import { ExportStateMachine } from './export-state-machine.ts';
import type { ExportTaskQueue } from './export-task-queue.ts';

export interface DatastoreExportsProps extends Deployment {
  readonly datastore: Datastore;
  readonly exportBucket: ExportBucket;
  readonly startQueue: ExportTaskQueue;
  readonly coordinator: ExportCoordinator;
  readonly starter: ExportStarter;
  readonly poller: ExportPoller;
  readonly publisher: ExportPublisher;
  readonly scheduleDeadLetterQueue: EncryptedQueue;
  readonly cleanUpDeadLetterQueue: EncryptedQueue;
}

/** The exports of one datastore: what starts them, what they are, and what cleans up after one that was cut short. */
export class DatastoreExports extends Construct {
  readonly datastore: Datastore;
  readonly stateMachine: ExportStateMachine;

  constructor(scope: Construct, id: string, props: DatastoreExportsProps) {
    super(scope, id);
    this.datastore = props.datastore;
    this.stateMachine = new ExportStateMachine(this, 'StateMachine', props);
    this.stateMachine.grantFailTask(props.starter.role);
    this.stateMachine.grantEndTask(props.poller.role);

    const { stateMachine } = this;
    new ExportSchedule(this, 'Schedule', { ...props, stateMachine, deadLetterQueue: props.scheduleDeadLetterQueue });
    new ExportCleanUp(this, 'CleanUp', { ...props, stateMachine, deadLetterQueue: props.cleanUpDeadLetterQueue });
  }
}
