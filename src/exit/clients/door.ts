// Who may come at all, and that somebody was turned away, for those who look at the status page.

import { NwsError } from '../../errors.js';
import { encodeNpub } from '../../protocol/names/address.js';
import type { Failures } from '../../tunnel/accounts/failures.js';
import { admits, type Lists } from './clients.js';

const STRANGER = new NwsError(
  'http_request_denied',
  'a client that isn’t allowed was turned away',
  {
    hint: 'where it is one of yours, see --allow-client and --deny-client',
  },
);

/** Asked for each event of a client that comes: whether it may. */
export function door(lists: Lists, failures: Pick<Failures, 'note'>): (client: string) => boolean {
  return (client) => {
    const mayCome = admits(lists, client);
    if (!mayCome) failures.note(STRANGER, encodeNpub(client));
    return mayCome;
  };
}
