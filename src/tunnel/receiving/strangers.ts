// Those who may not use this exit: each is told so once, where that can be told, and never again. What they send
// makes no peer, no stream and no memory but this list.

import type { Logger } from 'pino';
import { BoundedSet } from '../../common/bounded.js';
import { NwsError } from '../../errors.js';
import { RateLimit } from '../../protocol/peer/rate-limit.js';
import { resetFor } from '../../protocol/stream/reset.js';
import { FRAMES, JSON_ENCODING } from '../../protocol/wire/encoding.js';
import type { RelayLink } from '../../relay/link.js';
import { Sealer } from '../sending/sealer.js';
import type { Received } from './reception.js';

/** Strangers who were told; past this the oldest is forgotten. */
const MAX_TOLD = 4_096;
/** Keys cost a stranger nothing, signatures us something. */
const ANSWERS_A_SECOND = 4;

export class Strangers {
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #told = new BoundedSet<string>(MAX_TOLD);
  readonly #answers = new RateLimit(ANSWERS_A_SECOND);

  /** @param now in ms */
  constructor(log: Logger, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** Turns away what a stranger sent over `link`. */
  turnAway({ signer, from, messages, scheme, isFrame }: Received, link: RelayLink): void {
    const asked = messages.find(({ type }) => type === 'CONNECT' || type === 'CONNECTR');
    // One of NIP-443 would understand no answer.
    if (asked === undefined || !('v' in asked) || this.#told.has(from)) return;
    if (!this.#answers.allows(this.#now())) return;
    this.#told.add(from);
    this.#log.info({ peer: from }, 'turned away: not a client of this exit');
    const sealer = new Sealer(signer, from);
    sealer.scheme = scheme;
    const error = new NwsError('http_request_denied', 'this exit does not serve this client');
    const encoding = isFrame ? FRAMES : JSON_ENCODING;
    link.publish(sealer.seal(encoding.encode([resetFor(asked.key, error)])).event);
  }
}
