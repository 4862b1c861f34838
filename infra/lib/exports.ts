import { Construct } from 'constructs';
import { acknowledge } from './acknowledgements.ts';
import { exportEventSource, resourceEventSource, type ChangeBus } from './change-bus.ts';
import type { ClaimCheck } from './claim-check.ts';
import { DatastoreExports } from './datastore-exports.ts';
import { pascalCase } from './datastore-options.ts';
import { Datastore } from './datastore.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import { EncryptedQueue } from './encrypted-queue.ts';
import { EventQueue } from './event-queue.ts';
import { ExportBucket } from './export-bucket.ts';
import { ExportCoordinator } from './export-coordinator.ts';
import { ExportDataRole } from './export-data-role.ts';
import { ExportPoller } from './export-poller.ts';
import { ExportPublisher } from './export-publisher.ts';
import { ExportRunsTable } from './export-runs-table.ts';
import { ExportStarter } from './export-starter.ts';
import { ExportTaskQueue } from './export-task-queue.ts';

export interface ExportsProps extends Deployment {
  readonly changeBus: ChangeBus;
  readonly claimCheck: ClaimCheck;
  readonly deadLetters: DeadLetters;
}

/**
 * Exports of HealthLake datastores: on a schedule, a state machine per datastore has what changed exported, published to
 * the bus and committed. Table, bucket, queues and functions serve all datastores.
 */
export class Exports extends Construct {
  readonly runsTable: ExportRunsTable;
  readonly exportBucket: ExportBucket;
  readonly startQueue: ExportTaskQueue;
  readonly pollQueue: ExportTaskQueue;
  /** Starts that EventBridge Scheduler gave up. */
  readonly scheduleDeadLetterQueue: EncryptedQueue;
  /** Clean-ups that EventBridge could not hand over, or that failed again and again. */
  readonly cleanUpDeadLetterQueue: EncryptedQueue;
  readonly coordinator: ExportCoordinator;
  readonly starter: ExportStarter;
  readonly poller: ExportPoller;
  readonly publisher: ExportPublisher;
  readonly ofDatastores: readonly DatastoreExports[];
  /** The exported resources. */
  readonly resourceQueue: EventQueue;
  /** What became of the runs. */
  readonly runQueue: EventQueue;

  constructor(scope: Construct, id: string, props: ExportsProps) {
    super(scope, id);
    const { changeBus, claimCheck, deadLetters, ...deployment } = props;
    const datastores = Object.entries(props.options.datastores).map(
      ([name, settings]) => new Datastore(this, `${pascalCase(name)}Datastore`, { ...deployment, name, settings }),
    );
    this.runsTable = new ExportRunsTable(this, 'Runs', deployment);
    this.exportBucket = new ExportBucket(this, 'Files', deployment);
    const stores = { runsTable: this.runsTable, exportBucket: this.exportBucket };
    const dataRole = new ExportDataRole(this, 'Data', { ...deployment, ...stores, datastores });

    this.startQueue = new ExportTaskQueue(this, 'Starts', { ...deployment, name: 'export-starts' });
    this.pollQueue = new ExportTaskQueue(this, 'Polls', { ...deployment, name: 'export-polls' });
    this.scheduleDeadLetterQueue = deadLetterQueue(this, 'ScheduleDeadLetterQueue', 'export-schedule', deployment);
    this.cleanUpDeadLetterQueue = deadLetterQueue(this, 'CleanUpDeadLetterQueue', 'export-clean-up', deployment);
    const queues = {
      startQueue: this.startQueue,
      pollQueue: this.pollQueue,
      scheduleDeadLetterQueue: this.scheduleDeadLetterQueue,
      cleanUpDeadLetterQueue: this.cleanUpDeadLetterQueue,
    };

    const common = { ...deployment, ...stores, ...queues, datastores };
    this.coordinator = new ExportCoordinator(this, 'Coordinator', { ...common, changeBus });
    this.starter = new ExportStarter(this, 'Starter', { ...common, dataRole });
    this.poller = new ExportPoller(this, 'Poller', common);
    this.publisher = new ExportPublisher(this, 'Publisher', { ...common, changeBus, claimCheck, deadLetters });
    const functions = {
      coordinator: this.coordinator,
      starter: this.starter,
      poller: this.poller,
      publisher: this.publisher,
    };

    this.ofDatastores = datastores.map(
      (datastore) =>
        new DatastoreExports(this, `${pascalCase(datastore.name)}Exports`, { ...common, ...functions, datastore }),
    );

    this.resourceQueue = new EventQueue(this, 'ResourceEvents', {
      ...deployment,
      changeBus,
      name: 'fhir-resource-changes',
      events: 'Exported resources',
      eventPattern: { source: [resourceEventSource], detailType: ['FhirResourceChanged'] },
    });
    this.runQueue = new EventQueue(this, 'RunEvents', {
      ...deployment,
      changeBus,
      name: 'export-runs',
      events: 'Events of export runs',
      eventPattern: { source: [exportEventSource] },
    });
  }
}

/** A dead-letter queue that belongs to no queue. */
function deadLetterQueue(scope: Construct, id: string, name: string, deployment: Deployment): EncryptedQueue {
  const queue = new EncryptedQueue(scope, id, { ...deployment, name: `${name}-dead-letters` });
  acknowledge(queue, {
    'AwsSolutions-SQS3':
      'this queue is itself the dead-letter queue of schedules or rules, a use that the rule does not know',
  });
  return queue;
}
