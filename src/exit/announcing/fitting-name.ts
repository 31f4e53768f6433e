// The name that an exit goes by: with as many of its relays as fit.

import type { Logger } from 'pino';
import { toNwsError } from '../../errors.js';
import { encodeName } from '../../protocol/names/address.js';

/** A name holds 253 characters, a relay 39 bytes: what does not fit is left to the nprofile. */
export function fittingName(pubkey: string, relays: readonly string[], log: Logger): string {
  const fitting: string[] = [];
  let name = encodeName({ pubkey, relays: [] });
  for (const relay of relays) {
    try {
      name = encodeName({ pubkey, relays: [...fitting, relay] });
      fitting.push(relay);
    } catch (error) {
      log.warn({ relay }, `left out of the name: ${toNwsError(error).message}`);
    }
  }
  return name;
}
