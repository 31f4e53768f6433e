// The streams of UDX that a path has open: watched for signs of life, and cut together.

import type { Endpoint } from '../../../protocol/direct/endpoint.js';
import type { WindowPool } from '../../../protocol/direct/window.js';
import { secureAsClient, secureAsServer, type Wire } from '../../secured/tls.js';
import type { DirectSocket } from '../socket.js';
import type { UdxStream } from '../udx.js';
import type { PathKeys } from './keys.js';
import { UdxWire } from './udx-wire.js';

const HANDSHAKE_MS = 5_000;

interface Seen {
  packets: number;
  bytes: number;
}

export interface PathStreamsOptions {
  /** An entry's TLS is the client's. */
  readonly side: 'entry' | 'exit';
  readonly socket: DirectSocket;
  readonly remote: Endpoint;
  readonly keys: PathKeys;
  readonly pool: WindowPool;
}

export class PathStreams {
  readonly #options: PathStreamsOptions;
  readonly #seen = new Map<UdxStream, Seen>();

  constructor(options: PathStreamsOptions) {
    this.#options = options;
  }

  /**
   * Connects our stream `id` to theirs and secures it.
   * @param key names it on both sides
   * @throws NwsError `reverse_unreachable`
   */
  secure(id: number, remoteId: number, key: string): ReturnType<typeof secureAsClient> {
    const { side, socket, remote, keys, pool } = this.#options;
    const stream = socket.connect(id, remoteId, remote);
    this.#seen.set(stream, { packets: 0, bytes: 0 });
    stream.once('close', () => this.#seen.delete(stream));
    const make = (failed: (error: Error) => void): Wire => new UdxWire(stream, pool, failed);
    const secure = side === 'entry' ? secureAsClient : secureAsServer;
    return secure(make, { key, secret: keys.ofStream(key), timeoutMs: HANDSHAKE_MS });
  }

  /** What has happened since the last look: anything arrived, any bytes moved. */
  look(): { readonly isHeard: boolean; readonly isBusy: boolean } {
    let isHeard = false;
    let isBusy = false;
    for (const [stream, seen] of this.#seen) {
      const { packetsReceived: packets, bytesReceived, bytesTransmitted } = stream;
      const bytes = bytesReceived + bytesTransmitted;
      if (packets !== seen.packets) isHeard = true;
      if (bytes !== seen.bytes) isBusy = true;
      seen.packets = packets;
      seen.bytes = bytes;
    }
    return { isHeard, isBusy };
  }

  cut(): void {
    for (const stream of [...this.#seen.keys()]) stream.destroy();
  }
}
