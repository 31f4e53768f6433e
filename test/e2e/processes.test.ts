// The programs as processes, as a terminal or a CI job has them: ready lines, `nws run` with curl and git, exit
// statuses, signals, and what is left of an exit that was killed.

import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { expect } from 'chai';
import { decodeHost } from '../../src/protocol/names/address.js';
import { jsonLines, spawnMain, useTempFolder } from '../cli/harness.js';
import { listen } from '../support/servers.js';
import { Site } from './support/site.js';
import { has, type Output, outputOf } from './support/tools.js';

describe('nws as processes', function () {
  this.timeout(120_000);
  const folder = useTempFolder();
  const running = new Set<ChildProcess>();
  let site: Site;
  let relayUrl: string;
  let exit: ChildProcess;
  let domain: string;

  before(async () => {
    site = await Site.start();
    const [, relay] = await ready(['relay', '--listen', '127.0.0.1:0']);
    relayUrl = String(relay.url);
    [exit, { domain }] = (await startExit(site.url)) as [ChildProcess, { domain: string }];
  });
  after(async () => {
    for (const child of running) expect(await stopped(child)).to.deep.equal([0, null]);
    await site.close();
  });

  function spawned(argv: readonly string[], env: Record<string, string> = {}): ChildProcess {
    const child = spawnMain(folder.path, argv, env);
    running.add(child.once('exit', () => running.delete(child)));
    return child;
  }

  /** Starts a command that serves; its ready line. */
  async function ready(
    argv: readonly string[],
    env?: Record<string, string>,
  ): Promise<[ChildProcess, Record<string, unknown>]> {
    const child = spawned([...argv, '--json', '--log-level', 'error'], env);
    child.stderr!.pipe(process.stderr);
    const [line] = await once(child.stdout!, 'data');
    const [event] = jsonLines(String(line));
    expect(event).to.include({ event: 'ready' });
    return [child, event!];
  }

  function startExit(
    target: string,
    home = join(folder.path, 'exit'),
  ): Promise<[ChildProcess, Record<string, unknown>]> {
    return ready(['exit', '--target', target, '--relay', relayUrl], { NWS_HOME: home });
  }

  async function stopped(child: ChildProcess): Promise<unknown[]> {
    const end = once(child, 'exit');
    child.kill('SIGTERM');
    return end;
  }

  function run(...command: string[]): Promise<Output> {
    return outputOf(spawned(['run', '--relay', relayUrl, '--', ...command]));
  }

  describe('nws run', () => {
    it('gives curl all it needs, and leaves with its status 0', async () => {
      const { pubkey } = decodeHost(domain);
      expect(pubkey).to.have.length(64);
      const result = await run('curl', '-q', '-sS', `https://${domain}/page`);
      expect(result).to.deep.equal({ status: 0, stdout: 'GET /page\n', stderr: '' });
    });

    it('does so for a name without a relay, by --relay', async () => {
      const bare = domain.slice(domain.indexOf('.') + 1);
      const { stdout } = await run('curl', '-q', '-sS', `https://${bare}/`);
      expect(stdout).to.equal('GET /\n');
    });

    const failures: readonly [what: string, args: (domain: string) => string[], status: number][] =
      [
        ['a page that is not there', (host) => ['--fail', `https://${host}/missing`], 22],
        ['a malformed name', () => ['https://nonsense.nostr/'], 56],
        [
          'a certificate that is not trusted',
          (h) => ['--cacert', '/dev/null', `https://${h}/`],
          77,
        ],
      ];
    for (const [what, args, status] of failures) {
      it(`leaves with curl's own status for ${what}`, async () => {
        const result = await run('curl', '-q', '-sS', ...args(domain));
        expect(result.status, result.stderr).to.equal(status);
        expect(result.stderr)
          .to.match(/^curl: /m)
          .and.not.match(/^ +at /m);
      });
    }

    it('works in a shell script, as a CI job has it', async () => {
      const script = `set -e; page=$(curl -q -sS https://${domain}/ci); echo "got: $page"; exit 3`;
      const result = await run('sh', '-c', script);
      expect(result).to.deep.equal({ status: 3, stdout: 'got: GET /ci\n', stderr: '' });
    });

    it('hands signals to its command, and its end back', async () => {
      const script = `trap 'echo caught; exit 42' TERM; echo ready; while :; do sleep 0.05; done`;
      const child = spawned(['run', '--relay', relayUrl, '--', 'sh', '-c', script]);
      const output = outputOf(child);
      await waitFor(child.stdout!, 'ready\n');
      child.kill('SIGTERM');
      expect(await output).to.include({ status: 42, stdout: 'ready\ncaught\n' });
    });

    if (has('git', ['--version'])) {
      it('lets git clone', async () => {
        const git = await startGit(join(folder.path, 'git'));
        const [gitExit, { domain: host }] = await startExit(git.url, join(folder.path, 'git-exit'));
        const copy = join(folder.path, 'copy');
        const { status, stderr } = await run('git', 'clone', '-q', `https://${host}/`, copy);
        expect(status, stderr).to.equal(0);
        expect(readFileSync(join(copy, 'file'), 'utf8')).to.equal('content\n');
        await stopped(gitExit);
        await git.close();
      });
    }
  });

  it('an exit that was killed comes back as the same, for a proxy that goes on', async () => {
    const [, { listen: url, ca }] = await ready(['proxy', '--listen', '127.0.0.1:0']);
    const fetched = (): Promise<Output> => {
      const args = ['-q', '-sS', '--proxy', String(url), '--cacert', String(ca)];
      return run('curl', ...args, '--noproxy', '', `https://${domain}/again`);
    };
    expect((await fetched()).stdout).to.equal('GET /again\n');
    const killed = once(exit, 'exit');
    exit.kill('SIGKILL');
    expect(await killed).to.deep.equal([null, 'SIGKILL']);
    const [again, event] = await startExit(site.url);
    exit = again;
    expect(event.domain).to.equal(domain);
    expect((await fetched()).stdout).to.equal('GET /again\n');
  });
});

/** Waits until a stream has said something. */
function waitFor(stream: Readable, text: string): Promise<void> {
  let seen = '';
  return new Promise((resolve) => {
    stream.on('data', (data) => {
      seen += data;
      if (seen.includes(text)) resolve();
    });
  });
}

/** A repository with one file, over the web server's plain files. */
async function startGit(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  mkdirSync(folder);
  const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
  const git = (...args: string[]): void => void execFileSync('git', args, { cwd: folder, env });
  git('init', '-q');
  writeFileSync(join(folder, 'file'), 'content\n');
  git('add', 'file');
  git('-c', 'user.name=a', '-c', 'user.email=a@example.com', 'commit', '-q', '-m', 'first');
  git('update-server-info');
  const { port, close } = await listen(
    createServer((req, res) => {
      const path = new URL(req.url ?? '', 'http://x').pathname;
      try {
        res.end(readFileSync(join(folder, '.git', path)));
      } catch {
        res.writeHead(404).end();
      }
    }),
  );
  return { url: `http://127.0.0.1:${port}`, close };
}
