// Web servers as distributions have them, each on a free loopback port with its files in a folder of the test.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deadPort } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { LARGE, SMALL } from './kinds.js';

export interface Ground {
  /** A folder of the test. */
  readonly folder: string;
  readonly port: number;
  /** A server behind the server. */
  readonly backend: string;
}

export interface WebServer {
  readonly port: number;
  stop(): Promise<void>;
}

const ENV = { PATH: `${process.env.PATH}:/usr/sbin:/usr/local/go/bin`, LC_ALL: 'C' };

const CGI = `#!/usr/bin/env python3
import os, sys
out = sys.stdout.buffer
out.write(b"Content-Type: text/plain\\r\\n\\r\\n")
if os.environ["REQUEST_METHOD"] == "POST":
    out.write(sys.stdin.buffer.read(int(os.environ["CONTENT_LENGTH"])))
else:
    for at in range(500):
        out.write(b"piece %d\\n" % at)
`;

export async function layOut(folder: string): Promise<void> {
  await mkdir(join(folder, 'site', 'cgi-bin'), { recursive: true });
  await writeFile(join(folder, 'site', 'small.txt'), SMALL);
  await writeFile(join(folder, 'site', 'large.bin'), LARGE);
  await writeFile(join(folder, 'site', 'cgi-bin', 'talk.py'), CGI);
  // Servers that change their user have to get here.
  for (const part of ['', 'site', 'site/cgi-bin']) await chmod(join(folder, part), 0o755);
  await chmod(join(folder, 'site', 'cgi-bin', 'talk.py'), 0o755);
}

async function launch(command: readonly string[], { folder, port }: Ground): Promise<WebServer> {
  const child = spawn(command[0]!, command.slice(1), {
    cwd: folder,
    env: { ...ENV, HOME: folder },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`${command[0]} ended at once: ${child.exitCode}`);
    return isOpen(port);
  });
  return { port, stop: () => stop(child, ended) };
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  await ended;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

export async function python(ground: Ground, ...options: string[]): Promise<WebServer> {
  const { port, folder } = ground;
  const at = ['--bind', '127.0.0.1', '--directory', join(folder, 'site'), ...options, String(port)];
  return launch(['python3', '-m', 'http.server', ...at], {
    ...ground,
    folder: join(folder, 'site'), // where a CGI is looked for
  });
}

export async function nginx(ground: Ground): Promise<WebServer> {
  const { folder, port, backend } = ground;
  const file = join(folder, 'nginx.conf');
  await writeFile(
    file,
    `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log; worker_processes 2;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 1024; }
http {
  access_log off; types { text/plain txt; } client_body_temp_path ${folder}/nginx-body; proxy_temp_path ${folder}/nginx-proxy;
  fastcgi_temp_path ${folder}/nginx-1; uwsgi_temp_path ${folder}/nginx-2; scgi_temp_path ${folder}/nginx-3;
  server {
    listen 127.0.0.1:${port}; root ${folder}/site;
    location /behind/ {
      proxy_pass ${backend}/; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;
    }
  }
}
`,
  );
  return launch(['nginx', '-c', file, '-p', folder, '-e', join(folder, 'nginx.log')], ground);
}

export async function apache(ground: Ground): Promise<WebServer> {
  const { folder, port, backend } = ground;
  const file = join(folder, 'apache.conf');
  const modules = 'mpm_event authz_core alias cgid proxy proxy_http mime'.split(' ');
  const load = modules.map(
    (name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`,
  );
  await writeFile(
    file,
    `${load.join('\n')}
ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/apache.pid
ScriptSock ${folder}/apache.cgi
ErrorLog ${folder}/apache.log
TypesConfig /etc/mime.types
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
DocumentRoot ${folder}/site
ScriptAlias /cgi-bin/ ${folder}/site/cgi-bin/
ProxyPass /behind/ ${backend}/ upgrade=websocket
<Directory ${folder}/site>
  Require all granted
  AllowOverride None
</Directory>
`,
  );
  return launch(['apache2', '-f', file, '-X'], ground);
}

export async function go(ground: Ground): Promise<WebServer> {
  const { folder, port } = ground;
  const source = fileURLToPath(new URL('go/main.go', import.meta.url));
  const program = join(folder, 'web');
  const env = { ...ENV, HOME: process.env.HOME ?? folder };
  execFileSync('go', ['build', '-o', program, source], { env, cwd: folder });
  return launch([program, join(folder, 'site'), String(port)], ground);
}

export async function ground(folder: string, backend: string): Promise<Ground> {
  return { folder, backend, port: await deadPort() };
}
