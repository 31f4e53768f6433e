// Which requests wait for a 100 before they send their bodies (RFC 9110, section 10.1.1).

const waiting = new WeakSet<object>();

export function awaitContinue(req: object): void {
  waiting.add(req);
}

/** Whether the client still waits: answered now, it may never send its body, and nobody knows whether it does. */
export function awaitsContinue(req: object): boolean {
  return waiting.has(req);
}

/** It has been told to go on, or has begun by itself. */
export function noLongerAwaits(req: object): void {
  waiting.delete(req);
}
