// `nws alias`: the book of short names, which every proxy and command of this home folder reads.

import { baseConfig } from '../../../config/config.js';
import { badSetting } from '../../../config/env.js';
import { NwsError } from '../../../errors.js';
import { decodeHost, encodeNpub } from '../../../protocol/names/address.js';
import { parseAlias, parseAliasTarget } from '../../../protocol/names/alias.js';
import { AliasBook } from '../../../proxy/names/alias-book.js';
import type { CommandBody } from '../../command.js';
import { examples, options } from '../../help.js';
import { type Flags, type Io, makeHome, print, sourcesOf } from '../../io.js';
import { givenHost } from '../../lookup/host.js';

const USAGE = 'like this: nws alias add shop <name>.nostr, nws alias list, nws alias remove shop';

export const aliasCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .usage('$0 alias add NAME HOST\n$0 alias list\n$0 alias remove NAME')
      .options(options('home', 'json'))
      .epilogue(
        examples(
          ['give an exit a short name', 'nws alias add shop <name>.nostr'],
          ['and use it', 'nws run -- curl https://shop.nostr/'],
          [
            'the key that a web site names (NIP-05), looked up once',
            'nws alias add bob bob@example.com',
          ],
          ['all of them', 'nws alias list'],
          ['no longer', 'nws alias remove shop'],
        ),
      ),
  handler: async (flags) => {
    const sources = await sourcesOf(io, flags);
    const { home, aliases } = baseConfig(sources);
    const book = new AliasBook(home);
    const { action = 'list', name, host } = flags;
    const given = [name, host].filter((word) => word !== undefined).map(String);
    if (action === 'add' && given.length === 2) {
      const target = (await givenHost(given[1]!, sources)).host;
      await makeHome(home);
      add(io, flags, book, given[0]!, aliases.get(target) ?? book.entries().get(target) ?? target);
    } else if (action === 'remove' && given.length === 1) {
      remove(io, flags, book, given[0]!);
    } else if (action === 'list' && given.length === 0) {
      list(io, flags, book, aliases);
    } else {
      throw badSetting('alias wants add NAME HOST, list, or remove NAME', USAGE);
    }
  },
});

function add(io: Io, flags: Flags, book: AliasBook, alias: string, host: string): void {
  const [name, target] = [parseAlias(alias), parseAliasTarget(host)];
  book.add(name, target);
  const { pubkey, relays } = decodeHost(target);
  const npub = encodeNpub(pubkey);
  const by = relays.length === 0 ? '' : ` at ${relays.join(' ')}`;
  print(io, flags, { name, host: target, pubkey, npub }, `${name} is ${npub}${by}`);
}

function remove(io: Io, flags: Flags, book: AliasBook, alias: string): void {
  const name = parseAlias(alias);
  if (!book.remove(name)) {
    const hint = 'nws alias list shows all names';
    throw new NwsError('bad_name', `there is no ${name} in ${book.path}`, { hint });
  }
  print(io, flags, { removed: name }, `${name} is removed`);
}

function list(io: Io, flags: Flags, book: AliasBook, settings: ReadonlyMap<string, string>): void {
  const kept = [...book.entries()].map(([name, host]) => ({ name, host, source: 'book' }));
  const set = [...settings].map(([name, host]) => ({ name, host, source: 'settings' }));
  const all = [...set, ...kept.filter(({ name }) => !settings.has(name))];
  if (flags.json !== true && all.length === 0) {
    io.stderr.write('no aliases yet\nhint: nws alias add shop <name>.nostr\n');
    return;
  }
  const width = Math.max(...all.map(({ name }) => name.length));
  const lines = all.map(({ name, host, source }) => {
    return `${name.padEnd(width)}  ${host}${source === 'book' ? '' : ' (settings)'}`;
  });
  print(io, flags, { aliases: all }, lines.join('\n'));
}
