// What a client says before it is decided where its bytes go: read ahead within a bound, kept whole.
// Reading ahead is also the only way to notice that a waiting client has left.

import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { CLIENT_HEAD_TIMEOUT_MS } from '../../limits.js';
import { MAX_HELLO_BYTES, type Sniff, sniffClientHello } from '../../tls/client-hello.js';

/** The longest ClientHello, in records of half its bytes at worst. Past this the client waits in its own socket. */
const MAX_PRELUDE_BYTES = 2 * MAX_HELLO_BYTES;

export type FirstWord = Exclude<Sniff, { kind: 'incomplete' }>;

export class Prelude {
  readonly #client: Socket;
  readonly #changes = new EventEmitter();
  #bytes: Buffer;
  #timer: NodeJS.Timeout | undefined;

  constructor(client: Socket, head: Buffer) {
    this.#client = client;
    this.#bytes = head;
    client.on('readable', this.#read);
    client.on('end', this.#ended);
  }

  /**
   * Waits until the client has said enough to tell TLS from anything else; silence is waited for.
   * A client that begins a ClientHello and doesn't finish it in time is cut off.
   * @throws the signal's reason when it is aborted.
   */
  async firstWord(signal: AbortSignal): Promise<FirstWord> {
    for (;;) {
      const word = this.#judge();
      if (word.kind !== 'incomplete') {
        clearTimeout(this.#timer);
        return word;
      }
      if (this.#bytes.length > 0) this.#startClock();
      await once(this.#changes, 'change', { signal });
    }
  }

  /** Whether the client has said all it will ever say. */
  get ended(): boolean {
    return this.#client.readableEnded;
  }

  /** Stops reading ahead and hands over what was read: the caller sends it on. */
  release(): Buffer {
    clearTimeout(this.#timer);
    this.#client.off('readable', this.#read);
    this.#client.off('end', this.#ended);
    return this.#bytes;
  }

  /** Cuts the client off when its first word isn't complete in time. */
  #startClock(): void {
    this.#timer ??= setTimeout(() => this.#client.destroy(), CLIENT_HEAD_TIMEOUT_MS);
  }

  #judge(): Sniff {
    if (this.#bytes.length === 0) return { kind: this.ended ? 'other' : 'incomplete' };
    const word = sniffClientHello(this.#bytes);
    const more = !this.ended && this.#bytes.length < MAX_PRELUDE_BYTES;
    if (word.kind !== 'incomplete' || more) return word;
    // One byte may begin anything; two of TLS are TLS, whether or not the rest ever comes.
    return { kind: this.#bytes.length < 2 ? 'other' : 'broken' };
  }

  readonly #read = (): void => {
    while (this.#bytes.length < MAX_PRELUDE_BYTES) {
      const chunk: Buffer | null = this.#client.read();
      if (chunk === null) break;
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
    }
    this.#changes.emit('change');
  };

  readonly #ended = (): void => {
    this.#changes.emit('change');
  };
}
