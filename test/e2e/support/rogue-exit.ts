// An exit that serves TLS with whatever certificate it is given, publishes whatever it is told to, and counts
// what it gets to see of requests.

import { TLSSocket } from 'node:tls';
import type { Event as NostrEvent } from 'nostr-tools';
import { createSigner, generateSecretKey, type Signer } from '../../../src/crypto/signer.js';
import { encodeName } from '../../../src/protocol/names/address.js';
import { certificateEvent } from '../../../src/protocol/wire/events.js';
import { type ExitCertificate, openExitCertificate } from '../../../src/tls/certificate.js';
import { exitSide, type Side } from '../../tunnel/tunnel.js';

export class RogueExit {
  readonly signer: Signer;
  /** Served from now on. */
  certificate: ExitCertificate;
  /** TLS connections that were begun. */
  connections = 0;
  /** What clients said inside TLS. */
  seen = '';
  readonly #relays: readonly string[];
  #side!: Side;

  private constructor(relays: readonly string[], certificate: ExitCertificate, signer: Signer) {
    this.#relays = relays;
    this.signer = signer;
    this.certificate = certificate;
  }

  /** @param certificate what it serves */
  static async start(
    relays: readonly string[],
    certificate: ExitCertificate,
    signer = createSigner(generateSecretKey()),
  ): Promise<RogueExit> {
    const exit = new RogueExit(relays, certificate, signer);
    exit.#side = await exitSide(exit.signer, relays, (incoming) => {
      const stream = incoming.accept();
      stream.on('error', () => undefined);
      exit.#serve(new TLSSocket(stream, { ...exit.certificate, isServer: true }));
    });
    return exit;
  }

  get pubkey(): string {
    return this.signer.pubkey;
  }

  /** Its name with one of its relays. */
  hostAt(relay: string): string {
    return encodeName({ pubkey: this.pubkey, relays: [relay] });
  }

  /** Publishes a certificate event for this exit. */
  async publish(
    certificate: ExitCertificate,
    { createdAt = nowS(), signer = this.signer, relays = this.#relays }: PublishOptions = {},
  ): Promise<NostrEvent> {
    const { cert, fingerprint } = certificate;
    const event = signer.sign(certificateEvent(cert, this.pubkey, fingerprint, createdAt));
    const { accepted } = await this.#side.pool.broadcast(relays, event);
    if (accepted.length < relays.length) throw new Error('a relay has not taken the certificate');
    return event;
  }

  close(): Promise<void> {
    return this.#side.close();
  }

  #serve(socket: TLSSocket): void {
    this.connections += 1;
    socket.on('error', () => socket.destroy());
    socket.on('data', (data) => {
      this.seen += data;
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nrogue\n');
    });
  }
}

export interface PublishOptions {
  /** Unix seconds. */
  readonly createdAt?: number;
  /** Who signs; the exit unless told otherwise. */
  readonly signer?: Signer;
  readonly relays?: readonly string[];
}

export function nowS(): number {
  return Math.floor(Date.now() / 1_000);
}

/** A certificate in a folder of its own, so that no two of a test are the same. */
export function newCertificate(folder: string): Promise<ExitCertificate> {
  const { pubkey } = createSigner(generateSecretKey());
  return openExitCertificate(folder, pubkey, ['any.nostr']);
}
