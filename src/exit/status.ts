// The exit as its status page sees it, on a port of its own.

import type { Logger } from 'pino';
import type { Signer } from '../crypto/signer.js';
import type { Credentials } from '../http/auth/auth.js';
import type { HostPort } from '../http/host-port.js';
import { encodeNpub, normalizeRelayUrl } from '../protocol/names/address.js';
import type { StatusServer } from '../status/serving/server.js';
import { obstacleOf } from '../status/state/obstacle.js';
import { ownPinRow } from '../status/state/pin-rows.js';
import type { Subject } from '../status/state/watch.js';
import type { ExitCertificate } from '../tls/certificate.js';
import { authorityOf, type Target } from './targets/target.js';

/** What an exit stands in front of, and shows itself by. */
export interface Shown {
  readonly target: Target | undefined;
  readonly certificate: ExitCertificate | undefined;
}

export interface StatusOptions {
  readonly signer: Pick<Signer, 'pubkey'>;
  readonly relays: readonly string[];
  /** Absent: nowhere. */
  readonly status?: HostPort | undefined;
  readonly auth?: Credentials | undefined;
  readonly log: Logger;
}

export interface Running extends Pick<Subject, 'pool' | 'session' | 'accounts' | 'direct'> {
  readonly domain: string;
  readonly shown: () => Shown;
}

/**
 * Serves the page where the options say so: before a relay is up, since that there is none is the first thing to be seen.
 * @throws NwsError `address_in_use`, or `bad_config` for an address that can't be listened on.
 */
export async function serveStatus(
  { signer, relays, status: listen, auth, log }: StatusOptions,
  { pool, session, accounts, domain, shown, direct }: Running,
): Promise<StatusServer | undefined> {
  if (listen === undefined) return undefined;
  const { StatusServer } = await import('../status/serving/server.js');
  const { pubkey } = signer;
  const npub = encodeNpub(pubkey);
  const urls = relays.map(normalizeRelayUrl);
  const startedAt = Date.now();
  const subject: Subject = {
    ...{ role: 'exit', pool, session, accounts, direct },
    about: () => ({ name: domain, npub, target: targetText(shown()) }),
    obstacle: () => obstacleOf(pool, urls),
    pins: () => {
      const { certificate } = shown();
      return certificate ? [ownPinRow(certificate, pubkey, startedAt)] : [];
    },
    pinsKnown: () => (shown().certificate ? 1 : 0),
  };
  return StatusServer.start({ listen, auth, log, subject });
}

function targetText({ target }: Shown): string | undefined {
  if (target?.open !== undefined) return 'a server of this program';
  return target && `${target.kind}://${authorityOf(target)}${target.path}`;
}
