// What the ways in share: the parts of one running entry. A type only; proxy.ts builds the parts.

import type { Logger } from 'pino';
import type { ProxyFor } from '../relay/connection/proxy-env.js';
import type { LocalAuthority } from '../tls/authority/authority.js';
import type { Failures } from '../tunnel/accounts/failures.js';
import type { Spares } from './advance/spares.js';
import type { ExitChooser } from './clearnet/exits.js';
import type { HostResolver } from './resolve.js';
import type { OpenStream } from './streams.js';
import type { PinnedDialer } from './tls/pinned.js';
import type { ShownPins } from './tls/shown-pins.js';

export interface Entry {
  readonly resolver: HostResolver;
  readonly open: OpenStream;
  readonly pinned: PinnedDialer;
  readonly authority: Pick<LocalAuthority, 'leafFor'>;
  /** For `passthrough`. */
  readonly shown: ShownPins;
  /** Connections in advance, for `terminate`, if there are to be any. */
  readonly spares?: Spares | undefined;
  readonly tls: 'terminate' | 'passthrough';
  /** What to do with hosts that aren't `.nostr`. */
  readonly clearnet: 'direct' | 'exit' | 'deny';
  /** For `clearnet: 'exit'`. */
  readonly exits?: Pick<ExitChooser, 'open'> | undefined;
  /** For `clearnet: 'direct'`: the proxy that a host is reached through, if any. */
  readonly upstreamFor?: ProxyFor | undefined;
  /** What went wrong, for those who look. */
  readonly failures: Pick<Failures, 'note'>;
  readonly log: Logger;
}
