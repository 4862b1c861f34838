/** Amazon EventBridge API reference, "PutEvents". */
const ENTRIES_OF_A_REQUEST = 10;

/** Hands on what is to be put on the bus as it is made, so much at a time as a request may hold. */
export function* requestsOf(entries) {
  let request = [];
  for (const entry of entries) {
    request.push(entry);
    if (request.length === ENTRIES_OF_A_REQUEST) {
      yield request;
      request = [];
    }
  }
  if (request.length > 0) yield request;
}
