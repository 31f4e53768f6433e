// What goes wrong on the way to an exit, as curl and a browser are told of it: by CONNECT (https) and in absolute form (http).

import { expect } from 'chai';
import { createSigner, generateSecretKey } from '../../src/crypto/signer.js';
import { encodeName } from '../../src/protocol/names/address.js';
import { encodeBase32 } from '../../src/protocol/names/base32.js';
import { deadPort } from '../support/servers.js';
import { onEmbeddedRelay } from '../support/test-relay.js';
import { Site } from './support/site.js';
import { World } from './support/world.js';

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
  /** curl's own exit status. */
  readonly curl: number;
}

interface Expected {
  readonly status: number;
  /** Of RFC 9209. */
  readonly error: string;
  readonly says: RegExp;
}

const SCHEMES = ['https', 'http'];
const KEY = encodeName({ pubkey: createSigner(generateSecretKey()).pubkey, relays: [] });
const base32 = (text: string): string => encodeBase32(Buffer.from(text));

describe('a request that fails', function () {
  this.timeout(60_000);
  let world: World;

  before(async () => {
    world = await World.start();
  });
  after(() => world.close());
  /** A name without an exit, at a relay that works. */
  const nobody = (): string => `${base32(world.relayUrl)}.${KEY}`;

  async function ask(url: string, ...args: string[]): Promise<Answer> {
    const { stdout, status } = await world.curl('-i', ...args, url);
    const parts = stdout.split('\r\n\r\n');
    const answers = parts.findLastIndex((part) => part.startsWith('HTTP/1.1 '));
    const head = parts[answers] ?? '';
    return {
      status: Number(head.split(' ')[1]),
      head,
      body: parts[answers + 1] ?? '',
      curl: status,
    };
  }

  async function expectFailure(url: string, expected: Expected): Promise<Answer> {
    const answer = await ask(url);
    expect(answer.status, answer.head + answer.body).to.equal(expected.status);
    const proxyStatus = new RegExp(
      `^proxy-status: nws; error=${expected.error}; details=".+"$`,
      'im',
    );
    expect(answer.head).to.match(proxyStatus);
    expect(answer.head).to.match(expected.says);
    // curl shows nothing of a CONNECT that is refused but its head.
    if (answer.curl === 0) {
      expect(answer.body)
        .to.match(/^nws: .+ \(.+\)\n$/)
        .and.to.match(expected.says);
    }
    return answer;
  }

  const malformed: Readonly<Record<string, [host: string, says: RegExp]>> = {
    'without a key': ['nonsense.nostr', /nonsense.* is not a public key/],
    'whose key is no base32': [`${'z'.repeat(52)}.nostr`, /zzzz.* is not a public key/],
    'whose key is not on the curve': [`${encodeBase32(Buffer.alloc(32, 255))}.nostr`, /the curve/],
    'whose key is too short': [KEY.slice(4), /is not a public key/],
    'whose relay is no base32': [`xyz.${KEY}`, /xyz.* is not base32 of a relay/],
    'whose relay is no WebSocket': [`${base32('https://a.example')}.${KEY}`, /wss?:/],
    'that is a broken npub': ['npub1qqqqqq', /npub1qqqqqq.* is not a public key/],
  };
  for (const [what, [host, says]] of Object.entries(malformed)) {
    for (const scheme of SCHEMES) {
      it(`is answered 400 for a name ${what} by ${scheme}`, async () => {
        const expected = { status: 400, error: 'http_request_error', says };
        const { curl } = await expectFailure(`${scheme}://${host}/`, expected);
        // CONNECT is refused before there is any TLS.
        expect(curl).to.equal(scheme === 'https' ? 56 : 0);
      });
    }
  }

  /** By https and by http at once: some of these take their time. */
  function expectBoth(host: string, expected: Expected): Promise<Answer[]> {
    return Promise.all(SCHEMES.map((scheme) => expectFailure(`${scheme}://${host}/`, expected)));
  }

  it('names no relay where none is known', async () => {
    const says = /no relay is known .*--relay/;
    await expectBoth(KEY, { status: 502, error: 'destination_not_found', says });
  });

  it('names the relay that is not reached', async () => {
    const relay = `ws://127.0.0.1:${await deadPort()}`;
    const says = new RegExp(relay);
    await expectBoth(`${base32(relay)}.${KEY}`, {
      status: 502,
      error: 'destination_unavailable',
      says,
    });
  });

  it('hands on that the target is dead', async () => {
    const port = await deadPort();
    const other = await World.start({ target: `http://127.0.0.1:${port}` });
    const says = new RegExp(`127\\.0\\.0\\.1:${port}`);
    const expected = { status: 502, error: 'connection_refused', says };
    await expectBoth(other.exit.domain, expected);
    await other.close();
  });

  onEmbeddedRelay(() => {
    it('says at once that no exit is there, if the relay does', async () => {
      const says = new RegExp(`no exit listens.*${world.relayUrl}`);
      await expectBoth(nobody(), { status: 504, error: 'destination_unavailable', says });
      expect(world.relay.stats.refused).to.be.above(0);
    });

    it('says in the end that no exit is there, if the relay does not', async () => {
      world.relay.behaviour.muteUnheard = false;
      const says = /no answer from the exit/;
      await expectBoth(nobody(), { status: 504, error: 'destination_unavailable', says });
      world.relay.behaviour.muteUnheard = true;
    });

    it('is a page for a browser', async () => {
      for (const scheme of SCHEMES) {
        const url = `${scheme}://${nobody()}/`;
        const { head, body } = await ask(url, '-H', 'Accept: text/html,*/*;q=0.8');
        expect(head).to.match(/^content-type: text\/html/im);
        expect(body).to.match(
          /<h1>Nobody answers at this name<\/h1>\n<p>No exit listens there\.<\/p>\n<h2>.+<\/h2>\n<p>.+<\/p>/,
        );
      }
    });

    it('is a failure of curl --fail', async () => {
      const { curl } = await ask(`https://${nobody()}/`, '--fail');
      expect(curl).to.equal(22);
    });

    it('is answered anew each time, and no more when there is an exit', async () => {
      const { pubkey } = world.signer;
      const url = `http://${encodeName({ pubkey, relays: [world.relayUrl] })}/`;
      for (let attempt = 0; attempt < 10; attempt += 1) {
        expect((await ask(url)).body).to.match(/no exit listens/);
      }
      const site = await Site.start();
      await world.startExit(site.url);
      expect((await ask(url)).body).to.equal('GET /\n');
      await site.close();
    });
  });
});
