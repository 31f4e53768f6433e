// An entry and an exit that look for a direct path on loopback. What they would say through relays is handed over.

import { pino } from 'pino';
import type { Path } from '../../../src/protocol/wire/message.js';
import { DirectEntry } from '../../../src/tunnel/direct/direct-entry.js';
import { DirectExit } from '../../../src/tunnel/direct/direct-exit.js';
import type { DirectReport, DirectSettings } from '../../../src/tunnel/direct/options.js';
import { loadUdx } from '../../../src/tunnel/direct/udx.js';
import type { IncomingStream } from '../../../src/tunnel/opening/incoming.js';

export const EXIT = 'e'.repeat(64);
export const ENTRY = 'f'.repeat(64);

export interface PairOptions {
  readonly entry?: Partial<DirectSettings>;
  readonly exit?: Partial<DirectSettings>;
  /** Judges addresses that aren't local; default: none may be asked. */
  readonly judge?: () => boolean;
  readonly onIncoming: (incoming: IncomingStream) => void;
}

/** To be called by a `before`: leaves out what needs udx-native where that can't be loaded, and says so. */
export async function skipWithoutUdx(context: { skip(): void }): Promise<void> {
  try {
    await loadUdx();
  } catch (error) {
    console.log(`    skipped: ${(error as Error).message}`);
    context.skip();
  }
}

const ignored = (): void => undefined;

export class Pair {
  readonly entry: DirectEntry;
  readonly exit: DirectExit;
  /** What went through the relay. */
  readonly said: { readonly from: 'entry' | 'exit'; readonly message: Path }[] = [];

  private constructor(entry: DirectEntry, exit: DirectExit) {
    this.entry = entry;
    this.exit = exit;
  }

  static async start({ entry, exit, judge = () => false, onIncoming }: PairOptions): Promise<Pair> {
    const log = pino({ level: 'silent' });
    const base = { judge, ownAddresses: () => ['127.0.0.1/8'], log };
    const settings = { local: true, stun: [], listen: { host: '127.0.0.1', port: 0 } };
    const pair = new Pair(
      await DirectEntry.start({ ...base, settings: { ...settings, ...entry } }),
      await DirectExit.start({ ...base, settings: { ...settings, ...exit } }),
    );
    pair.entry.attach((_peer, message) => {
      pair.said.push({ from: 'entry', message });
      pair.exit.take(ENTRY, message, true);
    }, ignored);
    const say = (_peer: string, message: Path): void => {
      pair.said.push({ from: 'exit', message });
      pair.entry.take(EXIT, message);
    };
    pair.exit.attach(say, ignored, onIncoming);
    return pair;
  }

  /** Looks for the path; resolves when it stands, or doesn't. */
  arrange(): Promise<DirectReport> {
    this.entry.offered(EXIT);
    return this.entry.arrange(EXIT);
  }

  async close(): Promise<void> {
    await Promise.all([this.entry.close(), this.exit.close()]);
  }
}
