// Change events on their way to the bus.

import { setTimeout as delay } from 'node:timers/promises';
import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { eachConcurrently } from './concurrently.mjs';
import { requestsOf } from './requests.mjs';

const CONCURRENT_REQUESTS = 8;
const ATTEMPTS = 4;
const FIRST_DELAY_MILLISECONDS = 50;

const SOURCE = 'tributary.items';

/** Puts the events of the outcomes on the bus, those of one key in their order. Answers the `eventID`s that failed. */
export async function putOutcomes(client, busName, outcomes) {
  const failed = new Set();
  const blockedKeys = new Set();
  for (const wave of wavesOf(outcomes)) {
    const ready = [];
    for (const outcome of wave) {
      if (outcome.event === undefined || blockedKeys.has(outcome.key)) failed.add(outcome.eventID);
      else ready.push(outcome);
    }
    await eachConcurrently([...requestsOf(ready)], CONCURRENT_REQUESTS, async (request) => {
      for (const { eventID, key } of await putRequest(client, busName, request)) {
        failed.add(eventID);
        blockedKeys.add(key);
      }
    });
  }
  return failed;
}

/** No two outcomes of a wave have the same key, and each key's stand in their order. */
function wavesOf(outcomes) {
  const waves = [];
  const seen = new Map();
  for (const outcome of outcomes) {
    const wave = seen.get(outcome.key) ?? 0;
    seen.set(outcome.key, wave + 1);
    (waves[wave] ??= []).push(outcome);
  }
  return waves;
}

/** Answers what the bus did not take. Entries that failed are tried again alone; a whole request, by the SDK. */
async function putRequest(client, busName, outcomes) {
  let pending = outcomes.map((outcome) => ({ outcome, entry: entryOf(outcome, busName) }));
  try {
    for (let attempt = 1; pending.length > 0 && attempt <= ATTEMPTS; attempt += 1) {
      if (attempt > 1) await delay(Math.random() * FIRST_DELAY_MILLISECONDS * 2 ** attempt);
      const Entries = pending.map(({ entry }) => entry);
      const answer = await client.send(new PutEventsCommand({ Entries }));
      pending = answer.FailedEntryCount === 0 ? [] : pending.filter((_, index) => answer.Entries[index].ErrorCode);
    }
  } catch (error) {
    console.error(JSON.stringify({ message: 'PutEvents failed', error: error.name }));
  }
  return pending.map(({ outcome }) => outcome);
}

function entryOf({ event }, EventBusName) {
  return { Source: SOURCE, DetailType: `${event.meta.itemType}Change`, Detail: JSON.stringify(event), EventBusName };
}
