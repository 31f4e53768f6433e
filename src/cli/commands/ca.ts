// `nws ca`: the local CA, and how to trust it.

import { X509Certificate } from 'node:crypto';
import { baseConfig } from '../../config/config.js';
import { badSetting } from '../../config/env.js';
import { openAuthority } from '../../tls/authority/authority.js';
import type { CommandBody } from '../command.js';
import { examples, options } from '../help.js';
import { type Flags, type Io, makeHome, print, sourcesOf } from '../io.js';
import { changeTrust, type Direction } from '../trust/change.js';

export const caCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('path', 'pem', 'install', 'uninstall', 'print', 'yes', 'home', 'json'))
      .epilogue(
        examples(
          ['where it is, and what to tell curl, git, Node, browsers …', 'nws ca'],
          ['have this machine trust it: system, browsers, Java; asks first', 'nws ca --install'],
          ['only show what that would do', 'nws ca --install --print'],
          ['take it out again, in a script', 'nws ca --uninstall --yes'],
          ['in a script', 'curl --cacert "$(nws ca --path)" https://<name>.nostr/'],
          ['for a tool that wants the certificate', 'nws ca --pem > nws-ca.pem'],
        ),
      ),
  handler: async (flags) => {
    const direction = directionOf(flags);
    const { home } = baseConfig(await sourcesOf(io, flags));
    await makeHome(home);
    const { path, pem, fingerprint } = await openAuthority(home);
    if (flags.pem === true) return void io.stdout.write(`${pem.trimEnd()}\n`);
    if (flags.path === true) return void io.stdout.write(`${path}\n`);
    const certificate = new X509Certificate(pem);
    if (direction !== undefined) {
      const commonName = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? 'nws local CA';
      const label = commonName.replace(/\\(.)/g, '$1'); // X509Certificate escapes commas
      return changeTrust(io, flags, direction, { path, pem, label, id: fingerprint.slice(0, 8) });
    }
    const validTo = new Date(certificate.validTo).toISOString();
    const result = { path, fingerprint, subject: certificate.subject, validTo };
    print(io, flags, result, `${describe(path, fingerprint, validTo)}\n\n${instructions(path)}`);
  },
});

/** @throws NwsError `bad_config` for flags that contradict each other */
function directionOf({ install, uninstall, print, yes }: Flags): Direction | undefined {
  if (install === true && uninstall === true) {
    throw badSetting('--install and --uninstall are both given', 'give one');
  }
  if (install === true) return 'install';
  if (uninstall === true) return 'uninstall';
  if (print !== true && yes !== true) return undefined;
  const flag = print === true ? '--print' : '--yes';
  throw badSetting(`${flag} is for --install or --uninstall`, `nws ca --install ${flag}`);
}

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
  Java      keytool -importcert -cacerts -storepass changeit -alias nws -file ${file}
  the whole machine   nws ca --install    (--print shows what that does)
  one command         nws run -- COMMAND`;
}
