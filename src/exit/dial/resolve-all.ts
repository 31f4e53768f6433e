// All addresses of a name, asked of this machine's resolver once. Judges and dials nothing.

import { lookup } from 'node:dns/promises';
import { NwsError } from '../../errors.js';

/** Gives the addresses of a name, in the order in which to try them. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** Lookups under way: each waits for one of few threads, up to the resolver's own time-out of some seconds. */
const MAX_LOOKUPS = 256;

let underWay = 0;

/**
 * Asks hosts file and DNS, as every program of this machine does.
 * @throws NwsError `dns_error` where the name has no address, `dns_timeout` where nobody answers,
 * `connection_limit_reached` while too many names are being asked for.
 */
export async function resolveAll(name: string): Promise<readonly string[]> {
  if (underWay >= MAX_LOOKUPS) {
    throw new NwsError('connection_limit_reached', 'too many names are being resolved', {
      hint: 'try again in a moment',
    });
  }
  underWay += 1;
  try {
    const found = await lookup(name, { all: true, verbatim: true });
    return found.map(({ address }) => address);
  } catch (cause) {
    throw dnsError(name, cause);
  } finally {
    underWay -= 1;
  }
}

function dnsError(name: string, cause: unknown): NwsError {
  const isLate = (cause as NodeJS.ErrnoException).code === 'EAI_AGAIN';
  if (isLate) return new NwsError('dns_timeout', `no name server answers for ${name}`, { cause });
  return new NwsError('dns_error', `the exit cannot resolve ${name}`, {
    hint: 'check the spelling of the name',
    cause,
  });
}
