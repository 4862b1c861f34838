import type { Target } from './target.ts';

/** Every environment variable that the functions read. A function's `config.rs` names the same. */
export const EnvironmentVariable = {
  itemsTableName: 'ITEMS_TABLE_NAME',
  claimCheckBucketName: 'CLAIM_CHECK_BUCKET_NAME',
  codeMaps: 'CODE_MAPS',
  eventBusName: 'EVENT_BUS_NAME',
  deadLetterBucketName: 'DEAD_LETTER_BUCKET_NAME',
  rejectsQueueUrl: 'REJECTS_QUEUE_URL',
  putEventsRequestBytes: 'PUT_EVENTS_REQUEST_BYTES',
  enricherFunctionName: 'ENRICHER_FUNCTION_NAME',
  lakeWriterFunctionName: 'LAKE_WRITER_FUNCTION_NAME',
  routerFunctionName: 'ROUTER_FUNCTION_NAME',
  exportRunsTableName: 'EXPORT_RUNS_TABLE_NAME',
  exportBucketName: 'EXPORT_BUCKET_NAME',
  exportKeyArn: 'EXPORT_KEY_ARN',
  dataAccessRoleArn: 'DATA_ACCESS_ROLE_ARN',
  pollQueueUrl: 'POLL_QUEUE_URL',
  lake: 'LAKE',
  lakeBucketName: 'LAKE_BUCKET_NAME',
  glueDatabaseName: 'GLUE_DATABASE_NAME',
  rawTableName: 'RAW_TABLE_NAME',
  compactTableName: 'COMPACT_TABLE_NAME',
  compression: 'COMPRESSION',
  compactionsQueueUrl: 'COMPACTIONS_QUEUE_URL',
  settleSeconds: 'SETTLE_SECONDS',
  keepReplacedSeconds: 'KEEP_REPLACED_SECONDS',
  memoryBytes: 'MEMORY_BYTES',
  latestBuckets: 'LATEST_BUCKETS',
  mergeFiles: 'MERGE_FILES',
  mergeBytes: 'MERGE_BYTES',
  fileBytes: 'FILE_BYTES',
  /** Read by the AWS SDK (AWS SDKs and Tools reference guide, "Service-specific endpoints"). */
  healthLakeEndpoint: 'AWS_ENDPOINT_URL_HEALTHLAKE',
  metricsNamespace: 'METRICS_NAMESPACE',
  /** Read by the `tracing` subscriber. */
  logFilter: 'RUST_LOG',
} as const;

export type EnvironmentVariableName = (typeof EnvironmentVariable)[keyof typeof EnvironmentVariable];

export type FunctionEnvironment = Partial<Record<EnvironmentVariableName, string>>;

/** For the functions that talk to HealthLake. */
export function healthLakeEndpoint({ healthLakeEndpoint: endpoint }: Target): FunctionEnvironment {
  return endpoint === undefined ? {} : { [EnvironmentVariable.healthLakeEndpoint]: endpoint };
}
