// `nws resolve HOST`: what a name means.

import { baseConfig } from '../../../config/config.js';
import { encodeNpub } from '../../../protocol/names/address.js';
import type { ResolvedHost } from '../../../proxy/resolve.js';
import type { CommandBody } from '../../command.js';
import { examples, options } from '../../help.js';
import { type Io, openLog, print, sourcesOf } from '../../io.js';
import { givenHost } from '../../lookup/host.js';
import { resolveHost, withLookup } from '../../lookup/lookup.js';

export const resolveCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('relay', 'alias', 'home', 'log-level', 'log-format', 'json'))
      .epilogue(
        examples(
          ['a name that carries its relay', 'nws resolve <relay>.<key>.nostr'],
          ['a key alone, looked up at a relay', 'nws resolve npub1… --relay wss://relay.example'],
          ['a short name of the alias book', 'nws resolve shop'],
          ['a name that a web site vouches for (NIP-05)', 'nws resolve bob@example.com'],
        ),
      ),
  handler: async (flags) => {
    const sources = await sourcesOf(io, flags);
    const config = baseConfig(sources, 'warn');
    const log = openLog(io, config);
    const { host, nip05 } = await givenHost(String(flags.host), sources);
    const found = await withLookup(sources, config, log, ({ resolver }) =>
      resolveHost(resolver, host),
    );
    const result = { ...found, ...(nip05 && { nip05 }), npub: encodeNpub(found.pubkey) };
    print(io, flags, result, describe(result));
  },
});

function describe(found: ResolvedHost & { npub: string; nip05?: string }): string {
  const { pubkey, npub, source, nip05, relays, relaySources } = found;
  const by = relaySources.length === 0 ? '' : ` (from the ${relaySources.join(' and the ')})`;
  return [
    `pubkey  ${pubkey} (from ${nip05 ?? `the ${source}`})`,
    `npub    ${npub}`,
    `relays  ${relays.length === 0 ? 'none known' : relays.join(' ')}${by}`,
  ].join('\n');
}
