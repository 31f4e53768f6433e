// The signer that a command's settings ask for.

import type { IdentityConfig } from '../config/config.js';
import { createSigner, type Signer } from '../crypto/signer.js';
import { openIdentity, readKeyFile } from '../exit/exit-key.js';

/**
 * The key given as text or file, if one is.
 * @throws NwsError `bad_config` for a key file with wrong permissions or content
 */
export async function givenSigner(config: IdentityConfig): Promise<Signer | undefined> {
  if (config.signer !== undefined || config.keyFile === undefined) return config.signer;
  return createSigner(await readKeyFile(config.keyFile));
}

/** The key given, else the one that is kept in the home folder, made on first use. */
export async function exitSigner(config: IdentityConfig, home: string): Promise<Signer> {
  return (await givenSigner(config)) ?? createSigner(await openIdentity(home));
}
