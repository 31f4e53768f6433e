// Stands in for the entry of the Go program asmogo/nws, from what PROTOCOL, part 1, says of it: a fresh key for each
// connection, every event to every relay, no order, no end; or, with a public address, a connection that the exit
// makes. It shares nothing with src/.

import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { readName } from '../ground/names.js';
import { type Letter, Party, type Scheme } from '../ground/party.js';
import { StreamEnd } from '../ground/stream-end.js';
import { GO_BUFFER_BYTES } from './exit.js';
import type { GoListener } from './listener.js';
import { type GoMessage, readGoMessage, writeGoMessage } from './message.js';

export interface GoEntryOptions {
  /** Name of the exit that it goes through. */
  readonly exit: string;
  /** Default: nip44. */
  readonly scheme?: Scheme;
  /** Subscribes only when it first writes, as the Go program does; default: true. */
  readonly subscribesLate?: boolean;
  /** Where exits are asked to connect to. */
  readonly publicAddress?: GoListener;
}

export class GoEntry {
  readonly #options: GoEntryOptions;
  readonly #streams = new Set<StreamEnd>();
  readonly #refusals: (readonly string[])[] = [];

  constructor(options: GoEntryOptions) {
    this.#options = options;
  }

  /** What relays have said against its events. */
  get refusals(): readonly string[] {
    return this.#refusals.flat();
  }

  /** @param destination the bare name of the exit, unless it is `ip:port` */
  async connect(destination: string = this.#options.exit): Promise<Duplex> {
    const { exit, scheme = 'nip44', subscribesLate = true, publicAddress } = this.#options;
    const { pubkey, relays } = readName(exit);
    const party = await Party.join(relays);
    this.#refusals.push(party.refusals);
    const key = randomUUID();
    const say = (type: string, more: Partial<GoMessage> = {}): Promise<void> =>
      party.send({ to: pubkey, scheme, text: writeGoMessage({ key, type, destination, ...more }) });
    if (publicAddress !== undefined) {
      const accepted = publicAddress.accept(key);
      await say('CONNECTR', { entryPublicAddress: publicAddress.address });
      party.leave();
      return accepted;
    }
    let isListening = false;
    const listen = async (): Promise<void> => {
      if (isListening) return;
      isListening = true;
      await party.listen((letter) => receive(stream, key, letter), [pubkey]);
    };
    const stream = this.#stream({
      send: async (piece) => {
        await listen();
        await say('SOCKS5RESPONSE', { data: piece });
      },
      onClose: () => party.leave(),
    });
    if (!subscribesLate) await listen();
    await say('CONNECT');
    return stream;
  }

  /** Goes, without a word to the exits. */
  close(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #stream(options: ConstructorParameters<typeof StreamEnd>[0]): StreamEnd {
    const stream = new StreamEnd(options);
    this.#streams.add(stream);
    return stream.on('close', () => this.#streams.delete(stream));
  }
}

function receive(stream: StreamEnd, key: string, { text }: Letter): void {
  const message = readGoMessage(text);
  if (message?.key !== key || message.type !== 'SOCKS5RESPONSE') return;
  stream.receive(message.data?.subarray(0, GO_BUFFER_BYTES) ?? Buffer.alloc(0));
}
