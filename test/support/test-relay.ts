// The relay under the integration tests: the embedded one, with the habits of another by NWS_TEST_BEHAVE=strict, or any
// other by NWS_TEST_RELAY=ws://host:port.

import { MemoryRelay, type MemoryRelayOptions } from '../../src/relay/embedded/memory-relay.js';
import { PRESETS, type PresetName } from '../../src/relay/embedded/presets.js';

/** The relay to use instead of the embedded one. */
export const FOREIGN_URL = process.env.NWS_TEST_RELAY || undefined;

const HABITS = PRESETS[(process.env.NWS_TEST_BEHAVE || 'plain') as PresetName];

export interface TestRelay {
  readonly url: string;
  /** The embedded relay, with its switches and counters. */
  readonly embedded?: MemoryRelay;
  close(): Promise<void>;
}

/** @param options for the embedded relay; another is as it is */
export async function startTestRelay(options: MemoryRelayOptions = {}): Promise<TestRelay> {
  if (FOREIGN_URL !== undefined) return { url: FOREIGN_URL, close: async () => undefined };
  const behaviour = { ...HABITS, ...options.behaviour };
  return asTestRelay(await MemoryRelay.start({ ...options, behaviour }));
}

export function asTestRelay(embedded: MemoryRelay): TestRelay {
  return { url: embedded.url, embedded, close: () => embedded.close() };
}

/** The embedded relay. @throws Error where a test needs it and isn't inside of `onEmbeddedRelay` */
export function embeddedIn({ embedded }: TestRelay): MemoryRelay {
  if (embedded === undefined) throw new Error('this test needs onEmbeddedRelay() around it');
  return embedded;
}

/** Around tests that switch, count, stop or restart the relay: they are left out over another one. */
export function onEmbeddedRelay(define: () => void): void {
  if (FOREIGN_URL === undefined) define();
}
