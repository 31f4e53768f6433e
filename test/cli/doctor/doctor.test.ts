// `nws doctor` from the settings to the target, with relays and exits that are well and that aren't.

import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseRule } from '../../../src/exit/policy/rules.js';
import {
  createExit,
  createSigner,
  generateSecretKey,
  MemoryRelay,
  type RunningExit,
} from '../../../src/index.js';
import { deadPort, listen, type Running } from '../../support/servers.js';
import { jsonLines, type Result, run, useTempFolder } from '../harness.js';

interface Line {
  readonly check: string;
  readonly subject?: string;
  readonly status: string;
  readonly found: string;
  readonly hint?: string;
}

/** `check: status`, in the order of the checks. */
function statuses({ stdout }: Result): string[] {
  return linesOf(stdout).map(({ check, status }) => `${check}: ${status}`);
}

function linesOf(stdout: string): Line[] {
  return jsonLines(stdout)[0]!.checks as Line[];
}

describe('nws doctor', function () {
  this.timeout(60_000);
  const folder = useTempFolder();
  let site: Running<Server>;
  let relay: MemoryRelay;
  let exit: RunningExit;
  const doctor = (...argv: string[]) => run(folder.path, ['doctor', ...argv]);

  before(async () => {
    site = await listen(
      createServer((req, res) => void res.writeHead(req.url === '/' ? 200 : 404).end('hello')),
    );
    relay = await MemoryRelay.start({});
    exit = await startExit(`http://127.0.0.1:${site.port}`);
  });
  after(async () => {
    await exit.close(0);
    await relay.close();
    await site.close();
  });

  function startExit(target: string): Promise<RunningExit> {
    return createExit({
      signer: createSigner(generateSecretKey()),
      relays: [relay.url],
      target,
      home: join(folder.path, 'exit'),
      allow: [parseRule('127.0.0.1')],
    });
  }

  it('finds all well, all the way to the target', async () => {
    const result = await doctor(exit.domain, '--json');
    expect(statuses(result)).to.deep.equal([
      'settings: ok',
      'clock: ok',
      'relay: ok',
      'name: ok',
      'certificate: ok',
      'exit: ok',
      'request: ok',
    ]);
    expect(jsonLines(result.stdout)[0]).to.include({ ok: true, host: exit.domain });
    expect(result).to.include({ status: 0, stderr: '' });
  });

  it('says it to people in a line each', async () => {
    await run(folder.path, ['alias', 'add', 'shop', exit.domain]);
    const { status, stdout, stderr } = await doctor('shop');
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines).to.have.length(10);
    for (const line of lines.slice(0, 7)) expect(line).to.match(/^✓ [a-z]+ +\S/);
    expect(lines[2]).to.match(
      /ws:\/\/127.*there and back in \d+ ms; events of 65536 bytes pass; confirms; in order$/,
    );
    expect(lines[6]).to.match(/https:\/\/shop\.nostr\/ answers 200, in \d+ ms/);
    expect(lines[8]).to.equal('all is well');
  });

  it('leaves a certificate out where there is none to be had, and still tries the target', async () => {
    const tcp = await startExit(`tcp://127.0.0.1:${site.port}`);
    try {
      const { status, stdout } = await doctor(tcp.domain, '--json');
      const [certificate, alive, request] = linesOf(stdout).slice(4);
      expect(certificate).to.include({ status: 'note' });
      expect(certificate!.hint).to.include('tcp://');
      expect(alive).to.include({ status: 'ok' });
      expect(request!.found).to.match(/^the exit connects to its target/);
      expect(status).to.equal(0);
    } finally {
      await tcp.close(0);
    }
  });

  it('tells a target that is down from an exit that is', async () => {
    const down = await startExit(`http://127.0.0.1:${await deadPort()}`);
    const { domain } = down;
    const first = await doctor(domain, '--json');
    expect(statuses(first).slice(4)).to.deep.equal([
      'certificate: ok',
      'exit: ok',
      'request: failed',
    ]);
    expect(linesOf(first.stdout)[6]!.found).to.match(/refused|target/i);
    expect(first.status).to.equal(1);
    await down.close(0);
    const second = await doctor(domain, '--json');
    expect(statuses(second).slice(4)).to.deep.equal([
      'certificate: ok',
      'exit: failed',
      'request: failed',
    ]);
    expect(linesOf(second.stdout)[5]!.hint).to.include('is it running');
  });

  it('names the relay that isn’t reached, and goes on without it', async () => {
    const dead = `ws://127.0.0.1:${await deadPort()}`;
    const { status, stdout } = await doctor(exit.domain, '--relay', dead, '--json');
    const relays = linesOf(stdout).filter(({ check }) => check === 'relay');
    expect(relays.map(({ subject, status }) => [subject, status])).to.deep.equal([
      [dead, 'failed'],
      [relay.url, 'ok'],
    ]);
    expect(relays[0]!.found).to.include('ECONNREFUSED');
    expect(linesOf(stdout).at(-1)).to.include({ check: 'request', status: 'ok' });
    expect(status).to.equal(1);
  });

  it('tells a clock that is wrong', async () => {
    for (const [seconds, status] of [
      [20, 'note'],
      [-300, 'failed'],
    ] as const) {
      const other = await MemoryRelay.start({ behaviour: { clockAheadS: seconds } });
      const { stdout } = await doctor('--relay', other.url, '--json');
      await other.close();
      const clock = linesOf(stdout).find(({ check }) => check === 'clock')!;
      expect(clock.status).to.equal(status);
      expect(clock.found).to.match(seconds > 0 ? /^(19|20|21) s behind/ : /^(299|300|301) s ahead/);
    }
  });

  it('says what is wrong with the name, and what was not checked for that', async () => {
    await run(folder.path, ['alias', 'add', 'shop', exit.domain]);
    const { status, stdout } = await doctor('shpo', '--json');
    const name = linesOf(stdout).find(({ check }) => check === 'name')!;
    expect(name).to.include({ status: 'failed', hint: 'did you mean shop.nostr?' });
    expect(
      linesOf(stdout)
        .slice(-3)
        .map((line) => line.status),
    ).to.deep.equal(Array(3).fill('skipped'));
    expect(status).to.equal(1);
  });

  it('ends with 2 where the settings can’t be used', async () => {
    const { status, stdout } = await doctor('--relay', 'http://a.example', '--json');
    expect(status).to.equal(2);
    expect(linesOf(stdout)).to.have.length(1);
    expect(linesOf(stdout)[0]).to.include({ check: 'settings', status: 'failed' });
  });

  it('warns of a NO_PROXY that keeps tools from finding .nostr hosts', async () => {
    const { stdout } = await run(folder.path, ['doctor', '--json'], { NO_PROXY: '*.nostr' });
    expect(linesOf(stdout)[1]!.found).to.match(/NO_PROXY has/);
  });

  describe('with a public address', () => {
    it('has the exit connect to it', async () => {
      const address = `127.0.0.1:${await deadPort()}`;
      const { stdout } = await doctor(exit.domain, '--public-address', address, '--json');
      expect(linesOf(stdout).at(-1)).to.include({
        check: 'connectr',
        subject: address,
        status: 'ok',
      });
    });

    it('says so where the exit doesn’t reach it', async () => {
      const reached = await deadPort();
      const argv = ['--public-address', `127.0.0.1:${await deadPort()}`];
      const { status, stdout } = await doctor(
        exit.domain,
        ...argv,
        ...['--reverse-listen', `127.0.0.1:${reached}`, '--json'],
      );
      expect(linesOf(stdout).at(-1)).to.include({ check: 'connectr', status: 'failed' });
      expect(status).to.equal(1);
    });

    it('leaves a port alone that is taken, and one that nobody is there to try', async () => {
      const address = `127.0.0.1:${site.port}`;
      const taken = await doctor(exit.domain, '--public-address', address, '--json');
      expect(linesOf(taken.stdout).at(-1)).to.include({ check: 'connectr', status: 'note' });
      expect(taken.status).to.equal(0);
      const nobody = await doctor('--public-address', address, '--json');
      expect(linesOf(nobody.stdout).at(-1)).to.include({ check: 'connectr', status: 'skipped' });
    });
  });
});
