import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as athena from 'aws-cdk-lib/aws-athena';
import { Construct } from 'constructs';
import { resourceName, type Deployment } from './deployment.ts';
import { EncryptedBucket } from './encrypted-bucket.ts';
import type { ExportBucket } from './export-bucket.ts';
import { wholeLines, type LakeCatalog } from './lake-catalog.ts';
import { exportedResources, namedQueries, resourcesOfPatients } from './lake-named-queries.ts';

export interface LakeQueriesProps extends Deployment {
  readonly catalog: LakeCatalog;
  /** Where there are datastores. */
  readonly exportBucket?: ExportBucket;
}

/**
 * Where the lake is queried: a workgroup that nobody's own settings get around, a bucket for what comes out, and queries to
 * begin with. Whoever is to use it needs permissions of their own; none are given here.
 */
export class LakeQueries extends Construct {
  readonly resultsBucket: EncryptedBucket;
  readonly workgroupName: string;

  constructor(scope: Construct, id: string, props: LakeQueriesProps) {
    super(scope, id);
    const { options, key, catalog, exportBucket } = props;
    const { lake } = options;
    this.resultsBucket = new EncryptedBucket(this, 'Results', {
      ...props,
      retention: Duration.days(lake.queryResultRetentionDays),
    });
    const workgroup = new athena.CfnWorkGroup(this, 'Workgroup', {
      name: resourceName(options, 'lake'),
      description: 'Queries of the lake',
      // The history of queries goes with the workgroup, which could not be deleted otherwise.
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        bytesScannedCutoffPerQuery: lake.scanLimitBytes,
        publishCloudWatchMetricsEnabled: true,
        requesterPaysEnabled: false,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: this.resultsBucket.s3UrlForObject('results/'),
          expectedBucketOwner: Stack.of(this).account,
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn },
        },
      },
    });
    this.workgroupName = workgroup.ref;

    const queries = [...namedQueries(lake)];
    if (exportBucket !== undefined) {
      // HealthLake's folders are not Hive's, and an export's lines are whole resources: a table of one column, over all of
      // them, of which the queries take apart what they need.
      const table = catalog.addTable('ExportedResources', exportedResources.table, 'FHIR resources as HealthLake exported them', {
        columns: [{ name: exportedResources.column, type: 'string' }],
        location: exportBucket.exportsLocation,
        format: wholeLines,
      });
      // It describes files of another bucket, and would be in the way when datastores come back.
      table.applyRemovalPolicy(RemovalPolicy.DESTROY);
      queries.push(resourcesOfPatients());
    }
    for (const { name, description, sql } of queries) {
      new athena.CfnNamedQuery(this, name, {
        name: resourceName(options, name),
        description,
        database: catalog.databaseName,
        workGroup: workgroup.ref,
        queryString: sql,
      });
    }
  }
}
