// OpenSSH's server behind a TCP port, with keys of its own, for one user: who runs the test.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { listenTcp } from '../../support/servers.js';
import type { Service } from '../ground.js';

const SSHD = '/usr/sbin/sshd';

/** Whether it can be started here: as root it wants a folder that the system's own service makes. */
export function canServeSsh(): boolean {
  try {
    execFileSync('sh', ['-c', `test -x ${SSHD} && { [ "$(id -u)" != 0 ] || [ -d /run/sshd ]; }`]);
    return true;
  } catch {
    return false;
  }
}

/** @param bin a folder on the PATH: it gets an ssh that uses no settings but those of this server */
export async function sshServer(folder: string, bin: string): Promise<Service> {
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  for (const name of ['host', 'user']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
  }
  const server = [`HostKey ${at('host')}`, `AuthorizedKeysFile ${at('user.pub')}`];
  server.push('StrictModes no', 'UsePAM no', 'PermitRootLogin yes', 'PidFile none');
  writeFileSync(at('sshd_config'), `${server.join('\n')}\n`);
  const client = [`IdentityFile ${at('user')}`, `UserKnownHostsFile ${at('known')}`];
  client.push('StrictHostKeyChecking no', 'LogLevel ERROR', 'BatchMode yes');
  writeFileSync(at('ssh_config'), `${client.join('\n')}\n`);
  const ssh = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
  const wrapper = `#!/bin/sh\nexec '${ssh}' -F '${at('ssh_config')}' "$@"\n`;
  writeFileSync(join(bin, 'ssh'), wrapper, { mode: 0o755 });
  const port = await listenTcp((socket) => {
    const child = spawn(SSHD, ['-i', '-f', at('sshd_config')], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    child.stdin.on('error', () => undefined);
    socket.pipe(child.stdin);
    child.stdout.pipe(socket);
  });
  return { target: `tcp://127.0.0.1:${port.port}`, stop: port.close };
}

export const USER = userInfo().username;
