const service = process.env.POWERTOOLS_SERVICE_NAME;
const namespace = process.env.METRICS_NAMESPACE;

/** One line for the log, and one that CloudWatch reads as metrics (Amazon CloudWatch user guide, "Embedded metric format"). */
export function report(message, counts) {
  const now = Date.now();
  const line = { level: 'INFO', timestamp: new Date(now).toISOString(), service, message, ...counts };
  const Metrics = Object.keys(counts).map((Name) => ({ Name, Unit: 'Count' }));
  const directive = { Timestamp: now, CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [['service']], Metrics }] };
  process.stdout.write(`${JSON.stringify(line)}\n${JSON.stringify({ _aws: directive, service, ...counts })}\n`);
}
