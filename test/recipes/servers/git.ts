// git's own smart HTTP server (git http-backend, a CGI program) behind a server of node:http: clone, fetch and push.

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';

/** A server of `project.git` in `folder`, with one commit. Anybody may push. */
export function gitServer(folder: string): Server {
  const bare = join(folder, 'project.git');
  const work = join(folder, 'work');
  const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (cwd: string, ...args: string[]): void => {
    execFileSync('git', args, { cwd, env, stdio: 'pipe' });
  };
  mkdirSync(work, { recursive: true });
  git(folder, 'init', '-q', '--bare', '--initial-branch=main', bare);
  git(bare, 'config', 'http.receivepack', 'true');
  git(work, 'init', '-q', '--initial-branch=main');
  writeFileSync(join(work, 'README'), 'hello from git\n');
  git(work, 'add', 'README');
  git(work, '-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-qm', 'first');
  git(work, 'push', '-q', bare, 'main');
  return createServer((req, res) => backend(req, res, folder));
}

function backend(req: IncomingMessage, res: ServerResponse, root: string): void {
  const url = new URL(req.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REQUEST_METHOD: req.method,
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: req.headers['content-type'] ?? '',
      ...(req.headers['content-length'] && { CONTENT_LENGTH: req.headers['content-length'] }),
      HTTP_CONTENT_ENCODING: req.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(req.headers['git-protocol'] ?? ''),
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => undefined);
  req.pipe(child.stdin);
  let head = Buffer.alloc(0);
  child.stdout.on('data', function onHead(chunk: Buffer) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) return;
    child.stdout.off('data', onHead);
    answerHead(res, head.toString('latin1', 0, end));
    res.write(head.subarray(end + 4));
    child.stdout.pipe(res);
  });
}

function answerHead(res: ServerResponse, head: string): void {
  const fields = head.split('\r\n').map((line) => line.split(/:\s*/, 2) as [string, string]);
  const status = fields.find(([name]) => name === 'Status')?.[1];
  for (const [name, value] of fields) if (name !== 'Status') res.setHeader(name, value);
  res.writeHead(Number.parseInt(status ?? '200', 10));
}
