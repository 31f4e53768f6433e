// Waiting with an end: when a client leaves, or when it takes too long, whichever comes first.

/**
 * Runs `act` with a signal that follows `signal` and is aborted with `late` after `timeoutMs`. It lasts no
 * longer than `act`: what was opened with it stays.
 */
export async function within<T>(
  timeoutMs: number,
  late: Error,
  signal: AbortSignal,
  act: (limited: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const onAbort = (): void => limit.abort(signal.reason);
  const timer = setTimeout(() => limit.abort(late), timeoutMs);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    return await act(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * The promise's outcome, or the signal's reason as soon as that is aborted.
 * @param dispose gets a result that came too late
 */
export function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  dispose?: (late: T) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    const done = (): void => signal.removeEventListener('abort', onAbort);
    promise.then(
      (result) => {
        done();
        if (signal.aborted) dispose?.(result);
        else resolve(result);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
  });
}

/** The promise's outcome, or undefined where it takes longer than `timeoutMs`. */
export async function inTime<T>(promise: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the current second of unix time is over. */
export function nextSecond(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000)));
}
