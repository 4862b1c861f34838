// What the equality gate cannot see, because the simulator's bus takes everything at once.

import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';
import { putOutcomes } from '../shared/event-bus.mjs';
import { Bus, outcomeNamed } from './samples.mjs';

/** So that nothing waits before it is tried again. */
beforeEach(() => mock.method(Math, 'random', () => 0));

async function failedOf(bus, outcomes) {
  return [...(await putOutcomes(bus, 'events', outcomes))];
}

test('only what failed is tried again', async () => {
  const bus = new Bus({ b: 2 });
  assert.deepEqual(await failedOf(bus, ['a', 'b', 'c'].map((id) => outcomeNamed(id, id))), []);
  assert.deepEqual(bus.requests, [['a', 'b', 'c'], ['b'], ['b']]);
});

test('the changes of a key go out in their order', async () => {
  const bus = new Bus({ k1: 3 });
  const outcomes = [outcomeNamed('k1', 'k'), outcomeNamed('k2', 'k'), outcomeNamed('other', 'o'), outcomeNamed('k3', 'k')];
  assert.deepEqual(await failedOf(bus, outcomes), []);
  assert.deepEqual(bus.taken.filter((id) => id !== 'other'), ['k1', 'k2', 'k3']);
});

test('nothing of a key goes out behind what failed', async () => {
  const bus = new Bus({ k1: 100 });
  const outcomes = [outcomeNamed('k1', 'k'), outcomeNamed('k2', 'k'), outcomeNamed('other', 'o')];
  assert.deepEqual(await failedOf(bus, outcomes), ['k1', 'k2']);
  assert.deepEqual(bus.taken, ['other']);
});

test('an outcome without an event has failed', async () => {
  const bus = new Bus();
  assert.deepEqual(await failedOf(bus, [{ eventID: 'r', rejected: {} }, outcomeNamed('a', 'a')]), ['r']);
  assert.deepEqual(bus.taken, ['a']);
});

test('a request without an answer failed whole', async (context) => {
  const log = context.mock.method(console, 'error', () => {});
  const bus = { send: () => Promise.reject(new Error('no answer')) };
  assert.deepEqual(await failedOf(bus, [outcomeNamed('a', 'a'), outcomeNamed('b', 'b')]), ['a', 'b']);
  assert.equal(log.mock.callCount(), 1);
});

test('a request has at most ten entries', async () => {
  const bus = new Bus();
  const outcomes = Array.from({ length: 25 }, (_, index) => outcomeNamed(`${index}`, `${index}`));
  assert.deepEqual(await failedOf(bus, outcomes), []);
  assert.deepEqual(bus.requests.map((ids) => ids.length).sort(), [10, 10, 5]);
});
