import { Stack } from 'aws-cdk-lib';
import { BUNDLING_STACKS } from 'aws-cdk-lib/cx-api';
import type { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { ChangeBus } from './change-bus.ts';
import { ChangePipe } from './change-pipe.ts';
import { ChangeQueue } from './change-queue.ts';
import { ClaimCheck } from './claim-check.ts';
import { DeadLetterReplayer } from './dead-letter-replayer.ts';
import { DeadLetterRescuer } from './dead-letter-rescuer.ts';
import { DeadLetters } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import { EncryptionKey } from './encryption-key.ts';
import { Exports } from './exports.ts';
import { ItemRouter } from './item-router.ts';
import type { ItemType } from './item-types.ts';
import { ItemsTable } from './items-table.ts';
import { Lake } from './lake.ts';
import type { Options } from './options.ts';
import { addOutputs, changeQueueOutputs, exportOutputs, lakeOutputs } from './outputs.ts';
import { StreamEnricher } from './stream-enricher.ts';
import type { Target } from './target.ts';

export interface TributaryStackProps {
  readonly options: Options;
  readonly target: Target;
  readonly itemTypes: readonly ItemType[];
}

/**
 * Change events: from the Items table's stream through a pipe to the event bus, and from there to a queue per item type.
 * What does not get through ends in the dead letters, from where it can be replayed.
 *
 * Exports: what changed in HealthLake datastores, on a schedule, to the same bus. They are deployed where the options name a
 * datastore.
 *
 * The lake: every change of the table as a row in a partitioned bucket that Athena queries.
 */
export class TributaryStack extends Stack {
  constructor(scope: Construct, props: TributaryStackProps) {
    const { options, target, itemTypes } = props;
    super(scope, `Tributary-${options.environment}`, {
      description: 'Tributary: changes of healthcare items as FHIR events',
      env: target.env,
      terminationProtection: options.removalPolicy === 'retain',
    });
    if (!options.buildFunctions) this.node.setContext(BUNDLING_STACKS, []);
    const deployment: Deployment = { options, target, key: new EncryptionKey(this, 'Key', options) };

    const itemsTable = new ItemsTable(this, 'Items', deployment);
    const claimCheck = new ClaimCheck(this, 'ClaimCheck', deployment);
    const deadLetters = new DeadLetters(this, 'DeadLetters', deployment);

    const changeBus = new ChangeBus(this, 'ChangeBus', deployment);
    const changeQueues = itemTypes.map(
      (itemType) => new ChangeQueue(this, itemType.detailType, { ...deployment, changeBus, itemType }),
    );

    const enricher = new StreamEnricher(this, 'Enricher', { ...deployment, itemsTable, claimCheck });
    const router = new ItemRouter(this, 'Router', { ...deployment, changeBus, claimCheck, deadLetters });
    const changePipe = new ChangePipe(this, 'ChangePipe', { ...deployment, itemsTable, enricher, router });

    const rescuer = new DeadLetterRescuer(this, 'Rescuer', { ...deployment, changePipe, itemsTable, deadLetters });
    const replayer = new DeadLetterReplayer(this, 'Replayer', { ...deployment, deadLetters, enricher, router });

    const hasExports = Object.keys(options.datastores).length > 0;
    const exports = hasExports
      ? new Exports(this, 'Exports', { ...deployment, changeBus, claimCheck, deadLetters })
      : undefined;

    const { exportBucket } = exports ?? {};
    const lake = new Lake(this, 'Lake', { ...deployment, itemsTable, deadLetters, exportBucket });

    const functions = { enricher, router, rescuer, replayer };
    const watched = { changeBus, changePipe, changeQueues, deadLetters, ...functions, exports, lake };
    new Alarms(this, 'Alarms', { ...deployment, ...watched });

    addOutputs(this, {
      ItemsTableName: itemsTable.tableName,
      ItemsStreamArn: itemsTable.streamArn,
      EventBusName: changeBus.bus.eventBusName,
      PipeName: changePipe.pipeName,
      RejectsQueueUrl: deadLetters.rejectsQueue.queueUrl,
      DeadLetterBucketName: deadLetters.bucket.bucketName,
      ClaimCheckBucketName: claimCheck.bucket.bucketName,
      PipeDeadLetterQueueUrl: changePipe.deadLetterQueue.queueUrl,
      UnrescuedQueueUrl: changePipe.unrescuedQueue.queueUrl,
      EnricherFunctionName: enricher.function.functionName,
      RouterFunctionName: router.function.functionName,
      ReplayerFunctionName: replayer.function.functionName,
      ...changeQueueOutputs(changeQueues),
      ...lakeOutputs(lake, options),
      ...(exports === undefined ? {} : exportOutputs(exports)),
    });
  }
}
