// A command that runs until a signal ends it: start, tell that it's ready, close in order.

import type { Logger } from 'pino';
import { SHUTDOWN_GRACE_MS } from '../limits.js';
import type { Io } from './io.js';
import { notifyManager } from './serving/notify.js';

export interface Service {
  close(graceMs?: number): Promise<void>;
}

/** What to do once it is ready and has been told: run on until a signal comes, unless `done`. */
export type Outcome = 'done' | undefined;

export interface ServeOptions<T> {
  readonly log: Logger;
  /** What to do at SIGHUP; without it, and at a terminal that is closed, that is an end like any other. */
  readonly reload?: (service: T) => Promise<void>;
}

/**
 * Runs a service until SIGINT, SIGTERM or SIGHUP, and ends its streams in order; a second signal
 * returns at once, and so does a signal before the service is ready. Tells a service manager, if one wants to know.
 */
export async function serve<T extends Service>(
  io: Io,
  start: () => Promise<T>,
  onReady: (service: T) => Outcome | Promise<Outcome>,
  { log, reload }: ServeOptions<T>,
): Promise<void> {
  const reloads = reload !== undefined && !isAtTerminal(io);
  let running: T | undefined;
  // One after the other: each compares with what the one before has left.
  let reloading = Promise.resolve();
  const onHangup = (): void => {
    const service = running;
    if (service !== undefined) reloading = reloading.then(() => reload?.(service));
  };
  const signal = nextSignal(io, reloads ? onHangup : undefined);
  const starting = start();
  try {
    const service = await Promise.race([starting, signal.received]);
    if (service === undefined) {
      starting.then((late) => late.close(0)).catch(() => undefined);
      return;
    }
    running = service;
    // Without a farewell its peers would wait for the streams of a process that is gone.
    io.onCrash.add(() => service.close(0));
    try {
      const outcome = await Promise.race([onReady(service), signal.received]);
      void notifyManager(io, log, '--ready');
      if (outcome !== 'done') await signal.received;
    } finally {
      signal.stop();
      void notifyManager(io, log, 'STOPPING=1');
      await closeUnlessHurried(io, service);
    }
  } finally {
    signal.stop();
  }
}

/** Where SIGHUP says that the terminal is gone, and not that an operator wants something. */
function isAtTerminal({ stdin, stderr }: Io): boolean {
  return stdin.isTTY === true || stderr.isTTY === true;
}

async function closeUnlessHurried(io: Io, service: Service): Promise<void> {
  const signal = nextSignal(io);
  await Promise.race([service.close(SHUTDOWN_GRACE_MS), signal.received]);
  signal.stop();
}

/** @param onHangup gets SIGHUP, which is no end then */
function nextSignal(io: Io, onHangup?: () => void): { received: Promise<undefined>; stop(): void } {
  let stop = (): void => undefined;
  const received = new Promise<undefined>((resolve) => {
    const listener = (signal: NodeJS.Signals): void => {
      if (signal === 'SIGHUP' && onHangup !== undefined) onHangup();
      else resolve(undefined);
    };
    io.signals.on('signal', listener);
    stop = () => io.signals.off('signal', listener);
  });
  return { received, stop };
}
