// Public exits, as their commands: announced on a relay, found there, and used for hosts of the clear web, which
// here are servers on loopback that the exits are allowed to reach.

import { writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { expect } from 'chai';
import { createSigner, generateSecretKey } from '../../src/crypto/signer.js';
import { KIND } from '../../src/protocol/wire/events.js';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';
import { openExitCertificate } from '../../src/tls/certificate.js';
import { jsonLines, type Result, run, start, useTempFolder } from '../cli/harness.js';
import { type CurlResult, curl } from '../proxy/curl.js';
import { listen, listenHttp, listenTcp, type Running } from '../support/servers.js';
import { until } from '../support/until.js';

/** A name of the clear web that no resolver knows. */
const NAME = 'shop.invalid';

interface Command {
  readonly ready: Record<string, string>;
  /** Ends it. What it wrote to stderr is its log. */
  stop(): Promise<Result>;
}

describe('public exits', function () {
  this.timeout(60_000);
  const folder = useTempFolder();
  let relay: MemoryRelay;
  let site: Running<Server>;
  let plain: Running<Server>;
  let trusted: string;
  let commands: Command[];

  before(async () => {
    const { pubkey } = createSigner(generateSecretKey());
    const { cert, key } = await openExitCertificate(join(folder.path, 'site'), pubkey, [NAME]);
    trusted = join(folder.path, 'site.pem');
    writeFileSync(trusted, cert);
    site = await listen(createServer({ cert, key }, (req, res) => res.end(`secure ${req.url}`)));
    plain = await listenHttp((req, res) => res.end(`plain ${req.url}`));
  });
  after(async () => {
    await site.close();
    await plain.close();
  });

  beforeEach(async () => {
    relay = await MemoryRelay.start();
    commands = [];
  });
  afterEach(async () => {
    for (const command of commands.toReversed()) await command.stop();
    await relay.close();
  });

  async function command(name: string, home: string, ...flags: string[]): Promise<Command> {
    const own = ['--relay', relay.url, '--home', home, '--json', '--log-format', 'json'];
    const running = start(folder.path, [name, ...flags, ...own]);
    const output = await running.firstOutput();
    if (output === undefined) throw new Error((await running.result).stderr);
    const stop = (): Promise<Result> => {
      running.io.signals.emit('signal', 'SIGTERM');
      return running.result;
    };
    const started = { ready: jsonLines(output)[0] as Record<string, string>, stop };
    commands.push(started);
    return started;
  }

  const publicExit = (home: string, ...flags: string[]): Promise<Command> => {
    const allowed = [site, plain].flatMap(({ port }) => ['--allow', `127.0.0.1:${port}`]);
    return command('exit', home, '--public', ...allowed, ...flags);
  };
  const proxy = (...flags: string[]): Promise<Command> =>
    command('proxy', 'proxy', '--listen', '127.0.0.1:0', '--clearnet', 'exit', ...flags);

  /** curl to the TLS server, which CONNECT names by its address. */
  const secure = ({ ready }: Command, ...args: string[]): Promise<CurlResult> => {
    const at = ['--connect-to', `${NAME}:443:127.0.0.1:${site.port}`];
    return curl('--proxy', ready.listen!, '--cacert', trusted, ...at, ...args, `https://${NAME}/a`);
  };
  const answered = { status: 0, stdout: 'secure /a', stderr: '' };

  it('carry https to a server that the client verifies, once they are found on the relay', async () => {
    await publicExit('exit-1');
    const entry = await proxy();
    expect(await secure(entry)).to.deep.equal(answered);
    expect((await secure(entry, '--cacert', '/dev/null')).status).to.not.equal(0);
    const url = `http://127.0.0.1:${plain.port}/b`;
    expect((await curl('--proxy', entry.ready.listen!, url)).stdout).to.equal('plain /b');
  });

  it('are chosen by --exit, announced or not', async () => {
    const allowed = ['--allow', `127.0.0.1:${site.port}`];
    const { ready } = await command('exit', 'exit-2', ...allowed);
    const other = await publicExit('exit-1');
    const entry = await proxy('--exit', ready.nprofile!);
    await other.stop();
    expect(await secure(entry)).to.deep.equal(answered);
  });

  it('refuse what nothing allows, with 403, and connect to nothing', async () => {
    const exit = await publicExit('exit-1');
    const entry = await proxy();
    let connections = 0;
    const closed = await listenTcp(() => (connections += 1));
    const destinations = [`127.0.0.1:${closed.port}`, `localhost:${closed.port}`, '192.0.2.1'];
    for (const at of destinations) {
      const { stderr } = await curl('-v', '--proxy', entry.ready.listen!, `https://${at}/`);
      expect(stderr).to.match(/HTTP\/1\.1 403 .*error=destination_ip_prohibited/s);
    }
    const lines = jsonLines((await exit.stop()).stderr);
    const refused = lines.filter(({ code }) => code === 'destination_ip_prohibited');
    expect(refused).to.have.length(destinations.length);
    expect(connections).to.equal(0);
    await closed.close();
  });

  it('resolve names by themselves: proxies hand them on as they are', async () => {
    const hosts = ['localhost', '127.0.0.1', '[::1]'];
    const allowed = hosts.flatMap((host) => ['--allow', `${host}:${plain.port}`]);
    const exit = await command('exit', 'exit-2', ...allowed);
    const entry = await proxy('--exit', exit.ready.nprofile!);
    const at = `localhost:${plain.port}`;
    expect((await curl('--proxy', entry.ready.listen!, `http://${at}/c`)).stdout).to.equal(
      'plain /c',
    );
    await entry.stop();
    const lines = jsonLines((await exit.stop()).stderr);
    const ended = lines.filter(({ msg }) => msg === 'stream ended');
    expect(ended.map(({ destination }) => destination)).to.deep.equal([at]);
  });

  it('are replaced by another one when they fail', async () => {
    const first = await publicExit('exit-1');
    const entry = await proxy();
    expect(await secure(entry)).to.deep.equal(answered);
    await publicExit('exit-2');
    await first.stop();
    expect(await secure(entry)).to.deep.equal(answered);
  });

  it('say so every few seconds, in the rhythm that was set, and stop with the exit', async () => {
    const seen: { createdAt: number; livesS: number }[] = [];
    relay.on('event', ({ kind, created_at: createdAt, tags }) => {
      const expiration = Number(tags.find(([name]) => name === 'expiration')?.[1]);
      if (kind === KIND.announcement) seen.push({ createdAt, livesS: expiration - createdAt });
    });
    const exit = await publicExit('exit-1', '--announce-interval', '1');
    await until(() => seen.length >= 3);
    expect(new Set(seen.map(({ livesS }) => livesS))).to.deep.equal(new Set([1]));
    expect(new Set(seen.map(({ createdAt }) => createdAt))).to.have.property('size', seen.length);
    const found = await run(folder.path, ['discover', '--relay', relay.url, '--json']);
    expect(found.stdout).to.include(exit.ready.npub);
    await exit.stop();
    const { createdAt, livesS } = seen.at(-1)!;
    await until(() => Date.now() / 1_000 > createdAt + livesS);
    const search = await run(folder.path, ['discover', '--relay', relay.url]);
    expect(search.status).to.equal(1);
  });
});
