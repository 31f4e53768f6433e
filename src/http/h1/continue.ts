// Which requests wait for a 100 before they send their bodies (RFC 9110, section 10.1.1).

import type { IncomingMessage } from 'node:http';

const waiting = new WeakSet<IncomingMessage>();

export function awaitContinue(req: IncomingMessage): void {
  waiting.add(req);
}

/** Whether the client still waits: answered now, it may never send its body, and nobody knows whether it does. */
export function awaitsContinue(req: IncomingMessage): boolean {
  return waiting.has(req);
}

/** It has been told to go on, or has begun by itself. */
export function noLongerAwaits(req: IncomingMessage): void {
  waiting.delete(req);
}
