// Notices that this machine changed its network: a connection from an address that is gone will never hear
// anything again, and TCP takes minutes to say so.

import { interfaceAddresses } from '../../common/net/interfaces.js';

/** How often the addresses are looked at. */
const TICK_MS = 2_000;

export interface Rooted {
  /** Address of this machine that the connection was made from, while it is open. */
  readonly localAddress: string | undefined;
  /** Connects anew. */
  renew(): void;
}

export class NetworkWatch {
  readonly #timer: NodeJS.Timeout;

  /** Renews those of `connections` whose address this machine no longer has. */
  constructor(connections: () => Iterable<Rooted>, addresses: () => Set<string> = ownAddresses) {
    // Only an address that was there can go: not every system lists all that it has.
    let before = addresses();
    this.#timer = setInterval(() => {
      const present = addresses();
      const gone = new Set([...before].filter((address) => !present.has(address)));
      before = present;
      if (gone.size === 0) return;
      for (const connection of connections()) {
        const { localAddress } = connection;
        if (localAddress !== undefined && gone.has(plain(localAddress))) connection.renew();
      }
    }, TICK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

function ownAddresses(): Set<string> {
  return new Set(interfaceAddresses().map(({ address }) => address));
}

/** Without the prefix of an IPv4 address in an IPv6 socket, and without a zone. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}
