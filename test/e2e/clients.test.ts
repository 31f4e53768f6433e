// The clients of one exit, each an entry with a key of its own: who is at a bound is told so and nobody else
// notices, and who may not come is told so once.

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect } from 'chai';
import { DEFAULT_CLIENT_LIMITS } from '../../src/exit/clients/clients.js';
import { KIND, tagValue } from '../../src/protocol/wire/events.js';
import { embeddedIn, onEmbeddedRelay } from '../support/test-relay.js';
import { until } from '../support/until.js';
import { digest, generated } from './support/bytes.js';
import { Guest, SharedExit } from './support/shared-exit.js';
import { Site } from './support/site.js';

describe('the clients of an exit', function () {
  this.timeout(60_000);
  let site: Site;
  let shared: SharedExit;
  let started: ChildProcessWithoutNullStreams[];

  beforeEach(async () => {
    site = await Site.start();
    started = [];
  });
  afterEach(async () => {
    for (const child of started) child.kill();
    await shared.close();
    await site.close();
  });

  /** A request by https over a stream of its own. */
  const page = (guest: Guest) =>
    guest.curl('-i', '--suppress-connect-headers', shared.https('/page'));

  async function isServed(guest: Guest): Promise<void> {
    expect((await page(guest)).stdout).to.match(/^HTTP\/1\.1 200 .*GET \/page\n$/s);
  }
  async function isRefused(guest: Guest, status: number, reason: string): Promise<void> {
    const { stdout } = await page(guest);
    expect(stdout).to.match(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(stdout).to.match(new RegExp(`^proxy-status: .*error=${reason}`, 'im'));
  }

  function inBackground(guest: Guest, ...args: string[]): ChildProcessWithoutNullStreams {
    const child = guest.startCurl(...args);
    child.stdin.on('error', () => undefined);
    child.stderr.resume();
    started.push(child);
    return child;
  }

  async function two(limits: Partial<typeof DEFAULT_CLIENT_LIMITS>): Promise<[Guest, Guest]> {
    const clientLimits = { ...DEFAULT_CLIENT_LIMITS, ...limits };
    shared = await SharedExit.start(site.url, { clientLimits });
    return [await shared.entry(), await shared.entry()];
  }

  const refusedAtExit = (): unknown => shared.exit.sums.refused;

  it('have so many streams at once, each', async () => {
    const [busy, other] = await two({ streams: 2 });
    const held: ServerResponse[] = [];
    site.on('request', (_req, res) => held.push(res));
    const children = [1, 2].map((index) => inBackground(busy, shared.https(`/held/${index}`)));
    await until(() => held.length === 2);
    await isRefused(busy, 503, 'connection_limit_reached');
    await isServed(other);
    expect(refusedAtExit()).to.deep.equal({ connection_limit_reached: 1 });
    const ended = children.map((child) => once(child.stdout.resume(), 'end'));
    for (const res of held) res.end();
    await Promise.all(ended);
    await until(() => shared.exit.streams === 0);
    await isServed(busy);
  });

  it('open so many streams a minute, each', async () => {
    const [busy, other] = await two({ opensPerMinute: 2 });
    await isServed(busy);
    await isServed(busy);
    await isRefused(busy, 503, 'connection_limit_reached');
    await isServed(other);
    expect(refusedAtExit()).to.deep.equal({ connection_limit_reached: 1 });
    expect(site.requests).to.deep.equal(Array(3).fill('GET /page'));
  });

  /** What takes this long, without a limit, is over before the other client's page is. */
  const BYTES = 1_000_000;
  const bytesPerSecond = 4_000;

  it('download so many bytes a second, each', async () => {
    const [busy, other] = await two({ bytesPerSecond });
    const child = inBackground(busy, shared.https(`/bytes/${BYTES}`));
    let got = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    await until(() => got > 0);
    for (let count = 0; count < 2; count += 1) await isServed(other);
    expect([got < BYTES / 2, child.exitCode]).to.deep.equal([true, null]);
  });

  it('upload so many bytes a second, each', async () => {
    const [busy, other] = await two({ bytesPerSecond });
    const child = inBackground(busy, '-T', '-', shared.https('/held/upload'));
    const asked = once(site, 'request');
    child.stdin.end(Buffer.alloc(BYTES));
    const [request] = await asked;
    let got = 0;
    request.on('data', (chunk: Buffer) => {
      got += chunk.length;
    });
    await until(() => got > 0);
    for (let count = 0; count < 2; count += 1) await isServed(other);
    expect(got).to.be.below(BYTES / 2);
  });

  it('get everything in the end, in order, at the speed that they are allowed', async () => {
    const [busy] = await two({ bytesPerSecond: 200_000 });
    const { stdout } = await busy.curl('-d', 'x'.repeat(100_000), shared.https('/digest'));
    expect(JSON.parse(stdout)).to.include({ bytes: 100_000 });
    const got = await busy.transfer(shared.https('/bytes/100000'));
    expect(got).to.deep.equal({ ...(await digest(generated(100_000))), status: 0, stderr: '' });
    await until(() => busy.proxy.streams + shared.exit.streams === 0);
    expect(shared.exit.sums.failed).to.deep.equal({});
  });

  onEmbeddedRelay(() => {
    describe('where there is a list', () => {
      const [listed, denied, unlisted] = [new Guest(), new Guest(), new Guest()];
      /** Message events so far. */
      let events: { by: string; to: string | undefined }[];

      beforeEach(async () => {
        shared = await SharedExit.start(site.url, {
          allowClients: new Set([listed.pubkey, denied.pubkey]),
          denyClients: new Set([denied.pubkey]),
        });
        events = [];
        embeddedIn(shared.relay).on('event', (event) => {
          if (event.kind !== KIND.message) return;
          events.push({ by: event.pubkey, to: tagValue(event, 'p') });
        });
        for (const guest of [listed, denied, unlisted]) await shared.entry(guest);
      });

      const by = ({ pubkey }: Guest): number =>
        events.filter((event) => event.by === pubkey).length;
      const to = ({ pubkey }: Guest): number =>
        events.filter((event) => event.by === shared.pubkey && event.to === pubkey).length;

      for (const [name, guest] of [
        ['is not on it', unlisted],
        ['is on it and denied', denied],
      ] as const) {
        it(`are those on it: one who ${name} gets 403 once, and silence ever after`, async () => {
          await isServed(listed);
          await isRefused(guest, 403, 'http_request_denied');
          expect(to(guest)).to.equal(1);
          const before = by(guest);
          inBackground(guest, shared.https('/page'));
          inBackground(guest, shared.http('/page'));
          await until(() => by(guest) >= before + 3);
          await isServed(listed); // and so the exit has read what was published before
          expect(to(guest)).to.equal(1);
          expect(site.requests).to.deep.equal(Array(2).fill('GET /page'));
          await until(() => shared.exit.streams === 0);
          expect(shared.exit.sums).to.deep.include({ opened: 2, refused: {}, failed: {} });
          const told = shared.lines('turned away');
          expect(told.map(({ peer }) => peer)).to.deep.equal([guest.pubkey]);
          expect(shared.lines('stream').every(({ peer }) => peer === listed.pubkey)).to.equal(true);
        });
      }
    });
  });
});
