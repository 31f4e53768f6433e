// Settings: can they be used, and is there anything that works otherwise than one may expect?

import { access, constants } from 'node:fs/promises';
import { toNwsError } from '../../../errors.js';
import { AliasBook } from '../../../proxy/names/alias-book.js';
import { openAuthority } from '../../../tls/authority/authority.js';
import { PinStore } from '../../../tls/pins/pins.js';
import { nostrExemptions } from '../../run/tool-proxies.js';
import { type Check, type Finding, failed, type Patient } from '../check.js';

export const settingsCheck: Check = {
  waitsFor: 'the settings',
  async *run(patient) {
    yield await folder(patient);
    for (const text of patient.config.warnings) {
      yield { check: 'settings', status: 'note', found: text };
    }
    const exempt = nostrExemptions(patient.sources.env);
    if (exempt.length > 0) {
      const found = `NO_PROXY has ${exempt.join(', ')}: tools will not find .nostr hosts by the proxy`;
      yield { check: 'settings', status: 'note', found, hint: 'leave that out of NO_PROXY' };
    }
  },
};

/** Everything that is kept there is opened as the proxy would. */
async function folder({ config }: Patient): Promise<Finding> {
  const { home, relays, aliases } = config;
  try {
    await access(home, constants.R_OK | constants.W_OK);
    const { fingerprint } = await openAuthority(home);
    await PinStore.open(home);
    const names = new AliasBook(home).entries().size + aliases.size;
    const parts = [
      home,
      `local CA ${fingerprint.slice(0, 8)}…`,
      ...(names > 0 ? [counted(names, 'short name')] : []),
      relays.length > 0 ? counted(relays.length, 'relay') : 'no relay set: names bring their own',
    ];
    return { check: 'settings', status: 'ok', found: parts.join('; '), details: { home, relays } };
  } catch (error) {
    return failed('settings', toNwsError(error));
  }
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
