// `nws ca`: the local CA, and how to trust it.

import { X509Certificate } from 'node:crypto';
import { baseConfig } from '../../config/config.js';
import { openAuthority } from '../../tls/authority/authority.js';
import type { CommandBody } from '../command.js';
import { examples, options } from '../help.js';
import { type Io, makeHome, print, sourcesOf } from '../io.js';

export const caCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('path', 'pem', 'home', 'json'))
      .epilogue(
        examples(
          ['where it is, and what to tell curl, git, Node, browsers …', 'nws ca'],
          ['in a script', 'curl --cacert "$(nws ca --path)" https://<name>.nostr/'],
          ['for a tool that wants the certificate', 'nws ca --pem > nws-ca.pem'],
        ),
      ),
  handler: async (flags) => {
    const { home } = baseConfig(await sourcesOf(io, flags));
    await makeHome(home);
    const { path, pem, fingerprint } = await openAuthority(home);
    if (flags.pem === true) return void io.stdout.write(`${pem.trimEnd()}\n`);
    if (flags.path === true) return void io.stdout.write(`${path}\n`);
    const certificate = new X509Certificate(pem);
    const validTo = new Date(certificate.validTo).toISOString();
    const result = { path, fingerprint, subject: certificate.subject, validTo };
    print(io, flags, result, `${describe(path, fingerprint, validTo)}\n\n${instructions(path)}`);
  },
});

function describe(path: string, fingerprint: string, validTo: string): string {
  return `certificate  ${path}\nsha-256      ${fingerprint}\nvalid to     ${validTo}`;
}

/** How each tool is told; `nws run` sets these by itself. */
function instructions(path: string): string {
  const file = /^[\w@%+=:,./\\-]+$/.test(path) ? path : `'${path}'`;
  return `To trust it:
  curl      curl --cacert ${file} https://<name>.nostr/
  git       git -c http.sslCAInfo=${file} clone https://<name>.nostr/repo
  wget      wget --ca-certificate=${file} https://<name>.nostr/
  Node      NODE_EXTRA_CA_CERTS=${file}
  npm       NODE_EXTRA_CA_CERTS=${file}
  pip       pip --cert ${file}
  Firefox   Settings, Certificates, Authorities, Import
  Chrome    Settings, Privacy and security, Security, Manage certificates, Import
  macOS     security add-trusted-cert -k ~/Library/Keychains/login.keychain-db ${file}
  Debian    sudo cp ${file} /usr/local/share/ca-certificates/nws.crt && sudo update-ca-certificates
  any       nws run -- COMMAND`;
}
