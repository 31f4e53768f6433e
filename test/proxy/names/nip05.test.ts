// Names like bob@example.com, asked of a site of our own.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { expect } from 'chai';
import type { NwsError } from '../../../src/errors.js';
import { lookUpNip05 } from '../../../src/proxy/names/nip05.js';
import { privatePem } from '../../../src/tls/files/key-file.js';
import { errorOf } from '../../support/expect-error.js';
import { listen, type Running } from '../../support/servers.js';
import { newSigner, selfSigned } from '../../tls/support.js';

const { pubkey } = newSigner();
const RELAYS = ['ws://127.0.0.1:7777', 'wss://relay.example'];

describe('NIP-05', () => {
  const pair = selfSigned(undefined, ['localhost']);
  const ca = pair.certificate.toString();
  let site: Running<Server>;
  let domain: string;
  let answer: (res: ServerResponse, req: IncomingMessage) => void;
  const asked: string[] = [];

  before(async () => {
    const server = createServer({ key: privatePem(pair), cert: ca }, (req, res) => {
      asked.push(req.url ?? '');
      answer(res, req);
    });
    site = await listen(server);
    domain = `localhost:${site.port}`;
  });
  after(() => site.close());
  beforeEach(() => {
    asked.length = 0;
  });

  const says = (document: unknown) => (res: ServerResponse) =>
    void res.end(typeof document === 'string' ? document : JSON.stringify(document));
  const lookUp = (name = `bob@${domain}`) => lookUpNip05(name, { ca });
  const refusal = (): Promise<NwsError> => errorOf(() => lookUp());

  it('finds key and relays, in any case', async () => {
    answer = says({
      names: { bob: pubkey },
      relays: { [pubkey]: [...RELAYS, 'http://none.example', 7, RELAYS[0]] },
    });
    expect(await lookUp(`BOB@${domain}`)).to.deep.equal({ pubkey, relays: RELAYS });
    expect(asked).to.deep.equal(['/.well-known/nostr.json?name=bob']);
  });

  it('does without relays', async () => {
    answer = says({ names: { _: pubkey } });
    expect(await lookUp(`_@${domain}`)).to.deep.equal({ pubkey, relays: [] });
  });

  it('follows no redirect', async () => {
    answer = (res) => void res.writeHead(302, { location: '/elsewhere' }).end();
    const error = await refusal();
    expect(error.code).to.equal('destination_unavailable');
    expect(error.message).to.match(/answers 302/);
    expect(asked).to.have.length(1);
  });

  const nonsense: readonly [what: string, document: unknown, message: RegExp][] = [
    ['nobody of that name', { names: { alice: pubkey } }, /bob@.* is unknown at/],
    ['no names', [], /is unknown/],
    ['a name out of the prototype', '{"names": {"__proto__": {"bob": "x"}}}', /is unknown/],
    ['a web page', '<!doctype html>', /no nostr\.json/],
    ['no key', { names: { bob: 'npub' } }, /no valid key/],
    ['a key off the curve', { names: { bob: 'f'.repeat(64) } }, /no valid key/],
  ];
  for (const [what, document, message] of nonsense) {
    it(`says so where the site has ${what}`, async () => {
      answer = says(document);
      const error = await refusal();
      expect(error.code).to.equal('bad_name');
      expect(error.message).to.match(message);
      expect(error.hint).to.include('NIP-05');
    });
  }

  it('reads no endless answer, announced or not', async () => {
    answer = (res) => void res.writeHead(200, { 'content-length': 2 ** 40 }).write('{');
    expect((await refusal()).message).to.include('too long');
    answer = (res) => {
      const more = (): void => {
        while (!res.destroyed && res.write(Buffer.alloc(2 ** 16, ' ')));
      };
      res.on('drain', more);
      more();
    };
    expect((await refusal()).message).to.include('too long');
  });

  it('believes no certificate of nobody', async () => {
    answer = says({ names: { bob: pubkey } });
    const error = await errorOf(() => lookUpNip05(`bob@${domain}`));
    expect(error.message).to.match(/can't ask localhost:\d+ for bob@/);
    expect(asked).to.deep.equal([]);
  });
});
