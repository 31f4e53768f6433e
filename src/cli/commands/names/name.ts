// `nws name`: the .nostr name and the nprofile of a key.

import { baseConfig } from '../../../config/config.js';
import { encodeName, encodeNprofile, encodeNpub } from '../../../protocol/names/address.js';
import { parsePublicKey } from '../../../protocol/names/public-key.js';
import type { CommandBody } from '../../command.js';
import { examples, options } from '../../help.js';
import { type Io, print, sourcesOf } from '../../io.js';
import { showQr } from '../../qr.js';

export const nameCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('pubkey', 'relay', 'qr', 'json'))
      .epilogue(
        examples(
          ['one relay', 'nws name --pubkey npub1… --relay wss://relay.example'],
          ['for a telephone', 'nws name --pubkey npub1… --relay wss://relay.example --qr'],
          ['for a script', 'nws name --pubkey npub1… --relay wss://relay.example --json'],
        ),
      ),
  handler: async (flags) => {
    const { relays } = baseConfig(await sourcesOf(io, flags));
    const pubkey = parsePublicKey(String(flags.pubkey));
    const address = { pubkey, relays };
    const domain = encodeName(address);
    const nprofile = encodeNprofile(address);
    const result = { pubkey, npub: encodeNpub(pubkey), relays, domain, nprofile };
    print(io, flags, result, `${domain}\n${nprofile}`);
    await showQr(io, flags, domain);
  },
});
