// `nws keygen`: a new exit key in a file of its own.

import { join } from 'node:path';
import { baseConfig } from '../../config/config.js';
import { Settings } from '../../config/env.js';
import { createSigner } from '../../crypto/signer.js';
import { writeKeyFile } from '../../exit/exit-key.js';
import { encodeNpub } from '../../protocol/names/address.js';
import type { CommandBody } from '../command.js';
import { examples, options } from '../help.js';
import { type Io, makeHome, print, sourcesOf } from '../io.js';

export const keygenCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('out', 'home', 'json'))
      .epilogue(
        examples(
          ['the key that `nws exit` uses by itself', 'nws keygen'],
          ['another one, for --key-file', 'nws keygen --out shop.key'],
        ),
      ),
  handler: async (flags) => {
    const sources = await sourcesOf(io, flags);
    const { home } = baseConfig(sources);
    const out = new Settings(sources).path({ flag: 'out' });
    if (out === undefined) await makeHome(home);
    const path = out ?? join(home, 'exit.key');
    const { pubkey } = createSigner(await writeKeyFile(path));
    const npub = encodeNpub(pubkey);
    print(
      io,
      flags,
      { path, pubkey, npub },
      `key file    ${path}\npublic key  ${npub}\nhex         ${pubkey}`,
    );
  },
});
