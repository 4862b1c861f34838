import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadOptions } from '../lib/options.ts';
import { awsExports } from './exports.ts';
import { resourcesOf } from './synthesize.ts';

test('I1: no queue refuses an event that the largest PutEvents request has room for', () => {
  const { putEventsRequestBytes } = loadOptions({ options: '{"putEventsRequestBytes":1048576}' });
  for (const [logicalId, { Properties }] of Object.entries(resourcesOf(awsExports.template, 'AWS::SQS::Queue'))) {
    assert.equal(Properties.MaximumMessageSize, putEventsRequestBytes, logicalId);
  }
});
