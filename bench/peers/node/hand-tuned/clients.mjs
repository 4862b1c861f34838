import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';

/** How a client of the SDK reaches its service: over as many connections as there are requests at once, kept open. */
export function clientOptions(connections) {
  const agent = { keepAlive: true, maxSockets: connections, noDelay: true };
  return { requestHandler: { httpAgent: new Agent(agent), httpsAgent: new TlsAgent(agent) } };
}
