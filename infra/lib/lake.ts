import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import type { DeadLetters } from './dead-letters.ts';
import type { Deployment } from './deployment.ts';
import type { ExportBucket } from './export-bucket.ts';
import type { ItemsTable } from './items-table.ts';
import { LakeBucket } from './lake-bucket.ts';
import { LakeCatalog } from './lake-catalog.ts';
import { compactorTimeout, LakeCompactor } from './lake-compactor.ts';
import { LakeQueries } from './lake-queries.ts';
import { LakeReplayer } from './lake-replayer.ts';
import { LakeSchedule } from './lake-schedule.ts';
import { LakeWriter } from './lake-writer.ts';
import { QueueWithDeadLetters } from './queue-with-dead-letters.ts';

export interface LakeProps extends Deployment {
  readonly itemsTable: ItemsTable;
  readonly deadLetters: DeadLetters;
  /** Where there are datastores. */
  readonly exportBucket?: ExportBucket;
}

/**
 * The lake: every change of the table as a row in a partitioned bucket, compacted on a schedule, and what Athena needs to query
 * it.
 */
export class Lake extends Construct {
  readonly lakeBucket: LakeBucket;
  readonly catalog: LakeCatalog;
  readonly queries: LakeQueries;
  readonly writer: LakeWriter;
  readonly replayer: LakeReplayer;
  readonly compactor: LakeCompactor;
  readonly compactions: QueueWithDeadLetters;
  readonly schedule: LakeSchedule;

  constructor(scope: Construct, id: string, props: LakeProps) {
    super(scope, id);
    const { itemsTable, deadLetters, exportBucket, ...deployment } = props;
    this.lakeBucket = new LakeBucket(this, 'Files', deployment);
    const { lakeBucket } = this;
    this.catalog = new LakeCatalog(this, 'Catalog', { ...deployment, lakeBucket });
    const { catalog } = this;
    this.queries = new LakeQueries(this, 'Queries', { ...deployment, catalog, exportBucket });
    this.writer = new LakeWriter(this, 'Writer', { ...deployment, itemsTable, deadLetters, lakeBucket, catalog });
    this.replayer = new LakeReplayer(this, 'Replayer', { ...deployment, deadLetters, writer: this.writer });

    // A little more than the function has. A message comes alone, so that none waits in a batch while the clock runs, and a
    // compaction that failed can wait a quarter of an hour: its rows are in the lake.
    this.compactions = new QueueWithDeadLetters(this, 'Compactions', {
      ...deployment,
      name: 'lake-compactions',
      visibilityTimeout: compactorTimeout.plus(Duration.minutes(1)),
      maxReceiveCount: 5,
    });
    const { compactions } = this;
    this.compactor = new LakeCompactor(this, 'Compactor', { ...deployment, lakeBucket, catalog, compactions });
    this.schedule = new LakeSchedule(this, 'Schedule', { ...deployment, compactor: this.compactor });
  }
}
