// A command that runs until a signal ends it: start, tell that it's ready, close in order.

import { SHUTDOWN_GRACE_MS } from '../limits.js';
import type { Io } from './io.js';

export interface Service {
  close(graceMs?: number): Promise<void>;
}

/** What to do once it is ready and has been told: run on until a signal comes, unless `done`. */
export type Outcome = 'done' | undefined;

/**
 * Runs a service until SIGINT, SIGTERM or SIGHUP, and ends its streams in order; a second signal
 * returns at once, and so does a signal before the service is ready.
 */
export async function serve<T extends Service>(
  io: Io,
  start: () => Promise<T>,
  onReady: (service: T) => Outcome | Promise<Outcome>,
): Promise<void> {
  const signal = nextSignal(io);
  const starting = start();
  try {
    const service = await Promise.race([starting, signal.received]);
    if (service === undefined) {
      starting.then((late) => late.close(0)).catch(() => undefined);
      return;
    }
    // Without a farewell its peers would wait for the streams of a process that is gone.
    io.onCrash.add(() => service.close(0));
    try {
      const outcome = await Promise.race([onReady(service), signal.received]);
      if (outcome !== 'done') await signal.received;
    } finally {
      signal.stop();
      await closeUnlessHurried(io, service);
    }
  } finally {
    signal.stop();
  }
}

async function closeUnlessHurried(io: Io, service: Service): Promise<void> {
  const signal = nextSignal(io);
  await Promise.race([service.close(SHUTDOWN_GRACE_MS), signal.received]);
  signal.stop();
}

function nextSignal(io: Io): { received: Promise<undefined>; stop(): void } {
  let stop = (): void => undefined;
  const received = new Promise<undefined>((resolve) => {
    const listener = (): void => resolve(undefined);
    io.signals.once('signal', listener);
    stop = () => io.signals.off('signal', listener);
  });
  return { received, stop };
}
