// Stands in for the exit of the Go program asmogo/nws, from what PROTOCOL, part 1, says of it: serves one backend to
// whoever asks, whatever destination they name, and has its quirks. It shares nothing with src/.

import { connect } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { random } from '../../support/random.js';
import { listen, type Running } from '../../support/servers.js';
import { Backends } from '../ground/backends.js';
import type { BornExpired } from '../ground/born-expired.js';
import { nameOf } from '../ground/names.js';
import { type Letter, nowS, Party } from '../ground/party.js';
import { Goroutines } from './goroutines.js';
import { readGoMessage, writeGoMessage } from './message.js';

/** The buffer into which the Go program copies a message; what is longer loses its end. */
export const GO_BUFFER_BYTES = 32 * 1024;
const CERTIFICATE_KIND = 38334;

export interface GoExitOptions {
  readonly relays: readonly string[];
  /** Port of what it serves, on loopback. */
  readonly backend: number;
  readonly secretKey?: Uint8Array;
  /** Events that arrive nearly at once overtake each other, the same ones with the same seed. */
  readonly reorderSeed?: number | undefined;
  /** Published, without the TLS in front of the backend. */
  readonly publish?: BornExpired | undefined;
  /** Unix seconds of the event that publishes; default: now. */
  readonly publishedAt?: number;
  /** TLS ends here before the backend. */
  readonly serve?: BornExpired | undefined;
  /** Its connections to entries get through; default: true. */
  readonly connectsBack?: boolean;
}

export class GoExit {
  readonly name: string;
  /** The types of the messages so far that open a stream. */
  readonly openings: string[] = [];
  readonly #party: Party;
  readonly #connectsBack: boolean;
  readonly #backends: Backends;
  readonly #goroutines: Goroutines<Letter> | undefined;
  readonly #tls: Running<Server> | undefined;

  private constructor(options: GoExitOptions, party: Party, tls: Running<Server> | undefined) {
    const { relays, backend, reorderSeed, connectsBack = true } = options;
    this.name = nameOf({ pubkey: party.pubkey, relays });
    this.#party = party;
    this.#connectsBack = connectsBack;
    this.#tls = tls;
    this.#backends = new Backends(tls?.port ?? backend);
    if (reorderSeed === undefined) return;
    this.#goroutines = new Goroutines((letter) => this.#handle(letter), random(reorderSeed).next);
  }

  static async start(options: GoExitOptions): Promise<GoExit> {
    const { relays, secretKey, serve, backend, publish, publishedAt = nowS() } = options;
    const party = await Party.join(relays, secretKey);
    const tls = serve && (await terminate(serve, backend));
    const exit = new GoExit(options, party, tls);
    await party.listen((letter) => exit.#take(letter));
    if (publish !== undefined) {
      const tags = [['p', party.pubkey]];
      const content = publish.cert;
      await party.publish({ kind: CERTIFICATE_KIND, created_at: publishedAt, tags, content });
    }
    return exit;
  }

  get pubkey(): string {
    return this.#party.pubkey;
  }

  /** What relays have said against its events. */
  get refusals(): readonly string[] {
    return this.#party.refusals;
  }

  /** How often one incoming event has overtaken another. */
  get swaps(): number {
    return this.#goroutines?.swaps ?? 0;
  }

  /** Connections to the backend so far. */
  get dialled(): number {
    return this.#backends.dialled;
  }

  async close(): Promise<void> {
    this.#goroutines?.stop();
    this.#party.leave();
    this.#backends.close();
    await this.#tls?.close();
  }

  #take(letter: Letter): void {
    if (this.#goroutines === undefined) this.#handle(letter);
    else this.#goroutines.start(letter);
  }

  #handle(letter: Letter): void {
    const message = readGoMessage(letter.text);
    // It takes the destination of every message apart, and gives up where that can't be done.
    if (!message?.destination?.includes('.')) return;
    const { key, type, data = Buffer.alloc(0), entryPublicAddress = '' } = message;
    if (type.startsWith('CONNECT')) this.openings.push(type);
    if (type === 'CONNECT') this.#backends.open(key, (piece) => this.#answer(letter, key, piece));
    if (type === 'CONNECTR' && this.#connectsBack) {
      this.#backends.reverse(key, entryPublicAddress).catch(() => undefined);
    }
    if (type === 'SOCKS5RESPONSE') this.#backends.write(key, data.subarray(0, GO_BUFFER_BYTES));
  }

  #answer({ from, scheme }: Letter, key: string, data: Buffer): Promise<void> {
    const text = writeGoMessage({ key, type: 'SOCKS5RESPONSE', data });
    return this.#party.send({ to: from, scheme, text });
  }
}

/** A TLS server in front of the backend. */
function terminate(certificate: BornExpired, backend: number): Promise<Running<Server>> {
  const server = createServer({ ...certificate }, (client) => {
    const socket = connect({ port: backend, host: '127.0.0.1' });
    socket.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    client.pipe(socket).pipe(client);
  });
  return listen(server);
}
