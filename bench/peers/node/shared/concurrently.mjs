/** Does the work for each item, for so many of them at once. The first error ends the waiting. */
export async function eachConcurrently(items, limit, work) {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
