import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { Bus, VARIANTS, outcomeNamed } from './samples.mjs';

Object.assign(process.env, {
  AWS_REGION: 'eu-west-1',
  EVENT_BUS_NAME: 'events',
  POWERTOOLS_LOG_LEVEL: 'SILENT',
  POWERTOOLS_METRICS_DISABLED: 'true',
});

for (const variant of VARIANTS) {
  test(`${variant}: the answer has what failed, and an empty list where nothing did`, async (context) => {
    const { handler } = await import(`../${variant}/router.mjs`);
    const bus = new Bus();
    context.mock.method(EventBridgeClient.prototype, 'send', (command) => bus.send(command));
    assert.deepEqual(await handler([outcomeNamed('a', 'a')]), { batchItemFailures: [] });
    const failures = { batchItemFailures: [{ itemIdentifier: 'r' }] };
    assert.deepEqual(await handler([{ eventID: 'r', rejected: {} }, outcomeNamed('b', 'b')]), failures);
    assert.deepEqual(bus.taken, ['a', 'b']);
  });
}
