import { Stack } from 'aws-cdk-lib';
import * as glue from 'aws-cdk-lib/aws-glue';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { removalPolicy, resourceName, type Deployment } from './deployment.ts';
import type { LakeBucket } from './lake-bucket.ts';
import { allColumns, glueType, type LakeColumn } from './lake-columns.ts';
import { declaredColumns, partitionColumns } from './lake-options.ts';
import { changesView, latestView, tableNames, viewNames, type LakeView } from './lake-views.ts';

export interface LakeCatalogProps extends Deployment {
  readonly lakeBucket: LakeBucket;
}

/** How the files of a table are read. */
export interface FileFormat {
  readonly inputFormat: string;
  readonly outputFormat: string;
  readonly serializationLibrary: string;
  readonly serdeParameters?: Readonly<Record<string, string>>;
  readonly classification?: string;
}

/**
 * Lines of JSON, by OpenX's SerDe: it fails on a line that it cannot read, where others would leave the row out, and it is the
 * one that AWS documents for Athena and for Glue's own Spark (Athena user guide, "OpenX JSON SerDe"; Glue developer guide,
 * "AWS Glue Data Catalog support for Spark SQL jobs"). Athena tells compressions by the files' suffixes, `.zst` and
 * `.gz` (Athena user guide, "Use compression in Athena").
 */
const jsonLines: FileFormat = {
  inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
  serdeParameters: { 'ignore.malformed.json': 'false' },
  classification: 'json',
};

/** Athena finds the columns of a Parquet file by their names (Athena user guide, "Handle schema updates"). */
const parquet: FileFormat = {
  inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
  serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
  serdeParameters: { 'serialization.format': '1' },
  classification: 'parquet',
};

/**
 * Lines as they are, whatever is in them, in a table of one column: the SerDe divides a line at a control character, which
 * JSON cannot contain (RFC 8259, section 7). Without a classification, because Glue has none for this.
 */
export const wholeLines: FileFormat = {
  inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  serializationLibrary: 'org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe',
  serdeParameters: { 'serialization.format': '1' },
};

/**
 * What Glue knows of the lake: a database, tables over the files, and the views that readers use. The functions register the
 * partitions, so that no crawler has to run, and Athena's projection of partitions would not know the default one.
 *
 * Who may read is not said here: the database is created with the account's own default permissions, those of IAM or of
 * Lake Formation (Lake Formation developer guide, "Changing the default settings for your data lake").
 */
export class LakeCatalog extends Construct {
  readonly databaseName: string;
  readonly rawTableName = tableNames.raw;
  readonly compactTableName = tableNames.compact;
  private readonly deployment: Deployment;

  constructor(scope: Construct, id: string, props: LakeCatalogProps) {
    super(scope, id);
    this.deployment = props;
    const database = new glue.CfnDatabase(this, 'Database', {
      catalogId: Stack.of(this).account,
      databaseInput: {
        name: databaseName(props),
        description: 'Changes of items, and the items as they stand',
      },
    });
    database.applyRemovalPolicy(removalPolicy(props.options));
    this.databaseName = database.ref;

    const { lakeBucket, options } = props;
    const columns = allColumns(declaredColumns(options.lake));
    const text = columns.map(({ name }) => ({ name, type: 'string' }));
    const partitions = partitionColumns(options.lake).map(({ name }) => ({ name, type: 'string' }));

    this.addTable('Raw', tableNames.raw, 'Changes that are not compacted yet, as text', {
      columns: text,
      partitions,
      location: lakeBucket.location('raw'),
      format: jsonLines,
    });
    this.addTable('RawUnpartitioned', tableNames.rawUnpartitioned, 'The files of raw, however they are divided', {
      columns: text,
      location: lakeBucket.location('raw'),
      format: jsonLines,
    });
    this.addTable('Compact', tableNames.compact, 'Compacted changes', {
      columns,
      partitions,
      location: lakeBucket.location('compact'),
      format: parquet,
    });
    this.addTable('LatestCompact', tableNames.latestCompact, 'The latest compacted change of each key, removals too', {
      columns,
      location: lakeBucket.location('latest'),
      format: parquet,
    });
    this.addView('Changes', viewNames.changes, 'Every change once', changesView(options.lake));
    this.addView('Latest', viewNames.latest, 'Every item as it stands', latestView(options.lake));
  }

  /** Makes a partition of a table known, with the columns that the table has: in this catalog and database, of this table. */
  grantRegisterPartitions(tableName: string, grantee: iam.IGrantable): void {
    const arn = (resource: string, resourceName?: string) =>
      Stack.of(this).formatArn({ service: 'glue', resource, resourceName });
    // Glue developer guide, "Resource ARNs": an action on a table needs what contains it as well.
    const resourceArns = [
      arn('catalog'),
      arn('database', this.databaseName),
      arn('table', `${this.databaseName}/${tableName}`),
    ];
    const actions = ['glue:GetTable', 'glue:BatchCreatePartition', 'glue:BatchUpdatePartition'];
    iam.Grant.addToPrincipal({ grantee, actions, resourceArns });
  }

  /** A table over the files below a location. */
  addTable(
    id: string,
    name: string,
    description: string,
    { columns, partitions = [], location, format }: TableProps,
  ): glue.CfnTable {
    const { classification } = format;
    return this.add(id, {
      name,
      description,
      tableType: 'EXTERNAL_TABLE',
      parameters: { EXTERNAL: 'TRUE', ...(classification === undefined ? {} : { classification }) },
      partitionKeys: partitions.map(glueColumn),
      storageDescriptor: {
        columns: columns.map(glueColumn),
        location,
        inputFormat: format.inputFormat,
        outputFormat: format.outputFormat,
        serdeInfo: { serializationLibrary: format.serializationLibrary, parameters: format.serdeParameters },
      },
    });
  }

  /** A view as Athena itself writes it into Glue: the statement and the columns' types as JSON in a comment, in base64. */
  private addView(id: string, name: string, description: string, { columns, sql }: LakeView): void {
    const definition = {
      originalSql: sql,
      catalog: 'awsdatacatalog',
      schema: databaseName(this.deployment),
      columns: columns.map((column) => ({ name: column.name, type: trinoType(column.type) })),
    };
    const encoded = Buffer.from(JSON.stringify(definition)).toString('base64');
    this.add(id, {
      name,
      description,
      tableType: 'VIRTUAL_VIEW',
      parameters: { presto_view: 'true', comment: 'Presto View' },
      partitionKeys: [],
      storageDescriptor: { columns: columns.map(glueColumn), location: '', serdeInfo: {} },
      viewOriginalText: `/* Presto View: ${encoded} */`,
      viewExpandedText: '/* Presto View */',
    });
  }

  private add(id: string, tableInput: glue.CfnTable.TableInputProperty): glue.CfnTable {
    const catalogId = Stack.of(this).account;
    const table = new glue.CfnTable(this, id, { catalogId, databaseName: this.databaseName, tableInput });
    table.applyRemovalPolicy(removalPolicy(this.deployment.options));
    return table;
  }
}

interface TableProps {
  readonly columns: readonly LakeColumn[];
  readonly partitions?: readonly LakeColumn[];
  readonly location: string;
  readonly format: FileFormat;
}

/** Names in Glue are quoted in queries unless they are words: `tributary_prod`. */
export function databaseName({ options }: Deployment): string {
  return resourceName(options).replaceAll('-', '_');
}

function glueColumn({ name, type }: LakeColumn): glue.CfnTable.ColumnProperty {
  return { name, type: glueType(type) };
}

/** As Athena names the type of a view's column. */
function trinoType(type: string): string {
  const named = glueType(type);
  return { string: 'varchar', timestamp: 'timestamp(3)' }[named] ?? named;
}
