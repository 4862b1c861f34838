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
  routerFunctionName: 'ROUTER_FUNCTION_NAME',
  metricsNamespace: 'METRICS_NAMESPACE',
  /** Read by the `tracing` subscriber. */
  logFilter: 'RUST_LOG',
} as const;

export type EnvironmentVariableName = (typeof EnvironmentVariable)[keyof typeof EnvironmentVariable];

export type FunctionEnvironment = Partial<Record<EnvironmentVariableName, string>>;
