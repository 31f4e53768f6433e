// Secrets in settings: the own key, and what clients of the proxy have to know. Never repeats one.

import { createSigner, parseSecretKey, type Signer } from '../crypto/signer.js';
import { toNwsError } from '../errors.js';
import { badSetting, type Setting, type Settings } from './env.js';

/** RFC 1929 gives each a length of one byte. */
const MAX_CREDENTIAL_BYTES = 255;

/** A key given as text is held inside its signer; `keyFile` is still to be read. */
export interface IdentityConfig {
  readonly signer: Signer | undefined;
  readonly keyFile: string | undefined;
}

/** What clients of the proxy have to know. */
export interface Credentials {
  /** Without a colon; 1 to 255 bytes of UTF-8, as the password. */
  readonly user: string;
  readonly password: string;
}

/** @throws NwsError `bad_config` for a malformed key, or two of them. */
export function identity(settings: Settings): IdentityConfig {
  const flagged = settings.flag('key');
  const flaggedFile = settings.path({ flag: 'key-file' });
  if (flagged && flaggedFile) throw badSetting('--key and --key-file are both given', 'give one');
  const key = flagged ?? (flaggedFile ? undefined : settings.variable('NOSTR_PRIVATE_KEY'));
  return {
    signer: key && signerOf(key),
    keyFile: key ? undefined : (flaggedFile ?? settings.path({ variable: 'NWS_KEY_FILE' })),
  };
}

/** @throws NwsError `bad_config` for what isn't `user:password`. */
export function credentials(settings: Settings): Credentials | undefined {
  const setting = settings.text({ flag: 'auth', variable: 'NWS_AUTH' });
  if (setting === undefined) return undefined;
  const { text, origin } = setting;
  const colon = text.indexOf(':');
  const [user, password] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  const isUsable = (part: string): boolean =>
    part !== '' && Buffer.byteLength(part) <= MAX_CREDENTIAL_BYTES && !/\p{Cc}/u.test(part);
  if (isUsable(user) && isUsable(password)) return Object.freeze({ user, password });
  const hint = `write it like user:password, each of 1 to ${MAX_CREDENTIAL_BYTES} bytes`;
  throw badSetting(`${origin} is not a user and a password`, hint);
}

/** Lines for a user whose secrets stand where others may see them. */
export function secretWarnings(settings: Settings): string[] {
  const isShown = (flag: string): boolean => settings.flag(flag) !== undefined;
  return [
    ...(isShown('key') ? ['--key shows in ps and the shell history: better use --key-file'] : []),
    ...(isShown('auth')
      ? ['--auth shows in ps and the shell history: better use NWS_AUTH, or .env']
      : []),
  ];
}

function signerOf({ text, origin }: Setting): Signer {
  try {
    return createSigner(parseSecretKey(text));
  } catch (error) {
    const { hint } = toNwsError(error);
    throw badSetting(`${origin} is not a secret key`, hint ?? 'give 64 hex digits or an nsec1…');
  }
}
