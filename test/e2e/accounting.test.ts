// What both sides say of the streams between them: one line for each, sums that agree with the lines, and neither
// what was carried nor a key in any of it.

import { once } from 'node:events';
import { expect } from 'chai';
import { parseRule } from '../../src/exit/policy/rules.js';
import { encodeNprofile } from '../../src/index.js';
import { decodeHost } from '../../src/protocol/names/address.js';
import type { Sums } from '../../src/tunnel/accounts/accounts.js';
import { until } from '../support/until.js';
import { ReversePath } from './reverse/path.js';
import { Guest, type Line, type Party, SharedExit } from './support/shared-exit.js';
import { Site } from './support/site.js';

/** In paths, headers and bodies: what nobody is to read anywhere else. */
const MARKER = 'marker-7f3a';

describe('the account of streams', function () {
  this.timeout(60_000);
  let site: Site;
  let path: ReversePath;
  let shared: SharedExit;

  beforeEach(async () => {
    site = await Site.start();
    path = await ReversePath.start();
    const allow = [parseRule(`127.0.0.1:${path.address.port}`)];
    shared = await SharedExit.start(site.url, { allow });
  });
  afterEach(async () => {
    await shared.close();
    await path.close();
    await site.close();
  });

  const ended = (party: Party): Line[] => party.lines('stream ended');
  const refused = (party: Party): Line[] => party.lines('stream refused');

  /** All that is in a line but times and the name of the other side. */
  function facts({ level, time, msg, peer, durationMs, destination, ...line }: Line): object {
    expect(durationMs).to.satisfy((ms: unknown) => Number.isInteger(ms) && Number(ms) >= 0);
    // To an exit of which nothing is known, the first CONNECT names no port.
    return { ...line, destination: String(destination).replace(/:\d+$/, '') };
  }

  async function quiet(...guests: Guest[]): Promise<void> {
    const sides = (): { readonly streams: number; readonly sums: Sums }[] => [
      shared.exit,
      ...guests.map(({ proxy }) => proxy),
    ];
    await until(() => sides().every(({ streams, sums }) => streams + sums.open === 0));
  }

  function expectSums(sums: Sums, party: Party): void {
    const count = (lines: Line[]): Record<string, number> => {
      const byCode: Record<string, number> = {};
      for (const { code } of lines) {
        if (code !== undefined) byCode[String(code)] = (byCode[String(code)] ?? 0) + 1;
      }
      return byCode;
    };
    const sum = (field: string): number =>
      ended(party).reduce((total, line) => total + Number(line[field]), 0);
    expect(sums).to.deep.equal({
      opened: ended(party).length,
      open: 0,
      refused: count(refused(party)),
      failed: count(ended(party)),
      bytesUp: sum('bytesUp'),
      bytesDown: sum('bytesDown'),
    });
  }

  it('is the same on both sides, over relays and over a connection back', async () => {
    const direct = new Guest();
    const reverseListen = { host: '127.0.0.1', port: 0 };
    await shared.entry(direct, { publicAddress: path.address, reverseListen });
    path.leadTo(direct.proxy.reverseAddress!);
    for (const [guest, ways] of [
      [await shared.entry(), ['relay', 'relay', 'relay']],
      // Whether the exit can do it is known from the second stream on.
      [direct, ['reverse', 'reverse', 'reverse']],
    ] as const) {
      for (const size of [10, 30_000, 100_000]) {
        const { stdout } = await guest.curl('-d', 'x'.repeat(size), shared.https('/digest'));
        expect(JSON.parse(stdout)).to.include({ bytes: size });
        await quiet(guest);
      }
      const [here, there] = [ended(guest), ended(shared)];
      expect(here.map(({ way }) => way)).to.deep.equal(ways);
      expect(here.every(({ peer }) => peer === shared.pubkey)).to.equal(true);
      const ofGuest = there.filter(({ peer }) => peer === guest.pubkey);
      expect(ofGuest.map(facts)).to.deep.equal(here.map(facts));
      const bytesUp = here.map((line) => Number(line.bytesUp));
      expect(bytesUp[0]).to.be.within(10, 3_000);
      expect(bytesUp[1]).to.be.within(30_000, 33_000);
      expect(bytesUp[2]).to.be.within(100_000, 103_000);
      expectSums(guest.proxy.sums, guest);
    }
    expectSums(shared.exit.sums, shared);
  });

  it('says what was refused and what was broken off, and why', async () => {
    const exit = decodeHost(encodeNprofile({ ...shared.exit, relays: [shared.relay.url] }));
    const guest = await shared.entry(new Guest(), { clearnet: 'exit', exits: [exit] });
    const { stdout } = await guest.curl('-i', 'http://192.0.2.1:81/');
    expect(stdout).to.match(/^HTTP\/1\.1 403 .*error=destination_ip_prohibited/s);
    for (const party of [guest, shared]) {
      const [line, ...more] = refused(party);
      expect(more).to.deep.equal([]);
      const code = 'destination_ip_prohibited';
      expect(line).to.include({ destination: '192.0.2.1:81', code, way: 'relay' });
    }
    expect(refused(shared)[0]).to.have.property('peer', guest.pubkey);
    const child = guest.startCurl('--limit-rate', '1000', shared.https('/bytes/50000000'));
    await once(child.stdout, 'readable');
    child.kill();
    await quiet(guest);
    for (const party of [guest, shared]) {
      expect(ended(party).map(({ code }) => code)).to.deep.equal(['connection_terminated']);
    }
    expectSums(guest.proxy.sums, guest);
    expectSums(shared.exit.sums, shared);
  });

  it('holds nothing of what was carried, and no key, at any level', async () => {
    const guest = await shared.entry();
    const marked = ['-H', `X-Marker: ${MARKER}`, '-d', MARKER];
    const got = await guest.curl(...marked, shared.https(`/${MARKER}?${MARKER}`));
    expect(got.stdout).to.include(MARKER);
    expect((await guest.curl(...marked, shared.http(`/${MARKER}`))).stdout).to.include(MARKER);
    await guest.curl(...marked, shared.https(`/missing?${MARKER}`));
    const asked = once(site, 'request');
    const child = guest.startCurl(...marked, shared.https(`/held/${MARKER}`));
    await asked;
    child.kill();
    await guest.proxy.close(0);
    await quiet(guest);
    for (const { text } of [guest, shared]) {
      expect(text).to.include('stream ended');
      for (const word of [MARKER, Buffer.from(MARKER).toString('base64').slice(0, -4)]) {
        expect(text).to.not.include(word);
      }
      for (const secret of [...guest.secrets, ...shared.secrets]) {
        expect(text.toLowerCase()).to.not.include(secret.toLowerCase());
      }
    }
  });
});
