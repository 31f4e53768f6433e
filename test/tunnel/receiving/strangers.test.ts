// Those who may not come: one answer at most, some answers a second, and a list that is bounded.

import { expect } from 'chai';
import type { Event as NostrEvent } from 'nostr-tools';
import { pino } from 'pino';
import { createSigner, generateSecretKey, type Signer } from '../../../src/crypto/signer.js';
import { decodePlaintext } from '../../../src/protocol/wire/encoding.js';
import { tagValue } from '../../../src/protocol/wire/events.js';
import type { Message } from '../../../src/protocol/wire/message.js';
import { Strangers } from '../../../src/tunnel/receiving/strangers.js';
import { FakeLink } from '../../exit/announcing/fake-link.js';

const KEY = '3b1f09a8-2b10-4daa-880c-2a392e781f09';
const CONNECT: Message = { type: 'CONNECT', key: KEY, destination: 'x.nostr:443', v: 1, window: 9 };
const CONNECTR: Message = { ...CONNECT, type: 'CONNECTR', entryPublicAddress: '192.0.2.1:1' };

/** Strangers who were told, and answers a second. */
const MAX_TOLD = 4_096;
const ANSWERS_A_SECOND = 4;

/** Signs and encrypts nothing, which takes no time. */
const idle: Signer = {
  pubkey: 'e'.repeat(64),
  sign: (template) => ({ ...template, id: '', pubkey: '', sig: '' }),
  encrypt: (_peer, plaintext) => String(plaintext),
  decrypt: () => ({ plaintext: Buffer.alloc(0), scheme: 'nip44' }),
};

describe('tunnel/strangers', () => {
  let link: FakeLink;
  let lines: Record<string, unknown>[];
  let now: number;
  let strangers: Strangers;

  beforeEach(() => {
    [link, lines, now] = [new FakeLink('ws://127.0.0.1:7777'), [], 0];
    const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line)) });
    strangers = new Strangers(log, () => now);
  });

  function from(pubkey: string, messages: readonly Message[] = [CONNECT], signer = idle): void {
    const received = { signer, from: pubkey, messages, isFrame: false, createdAt: 0 };
    strangers.turnAway({ ...received, scheme: 'nip44' }, link);
  }
  const events = (): NostrEvent[] => link.published.map(({ event }) => event);
  const told = (pubkey: string): number =>
    events().filter((event) => tagValue(event, 'p') === pubkey).length;
  const named = (index: number): string => index.toString(16).padStart(64, '0');

  it('are told once that they may not, in a RESET that they can read, and never again', () => {
    const [exit, stranger] = [createSigner(generateSecretKey()), createSigner(generateSecretKey())];
    for (let count = 0; count < 3; count += 1) {
      now += 10_000;
      from(stranger.pubkey, [CONNECT], exit);
    }
    const [answer, ...more] = events();
    expect(more).to.deep.equal([]);
    expect(answer).to.include({ kind: 28333, pubkey: exit.pubkey });
    expect(tagValue(answer!, 'p')).to.equal(stranger.pubkey);
    const { plaintext, scheme } = stranger.decrypt(exit.pubkey, answer!.content);
    expect(scheme).to.equal('nip44');
    const [reset] = decodePlaintext(plaintext).messages;
    expect(reset).to.include({ type: 'RESET', key: KEY, error: 'http_request_denied' });
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ peer: stranger.pubkey });
  });

  it('are told in the encryption that they use', () => {
    const [exit, stranger] = [createSigner(generateSecretKey()), createSigner(generateSecretKey())];
    const received = { signer: exit, from: stranger.pubkey, messages: [CONNECT], createdAt: 0 };
    strangers.turnAway({ ...received, isFrame: false, scheme: 'nip04' }, link);
    expect(stranger.decrypt(exit.pubkey, events()[0]!.content).scheme).to.equal('nip04');
  });

  it('are told in a frame where they wrote one, and in JSON where they did not', () => {
    for (const isFrame of [true, false]) {
      const [exit, stranger] = [
        createSigner(generateSecretKey()),
        createSigner(generateSecretKey()),
      ];
      const received = { signer: exit, from: stranger.pubkey, messages: [CONNECT], createdAt: 0 };
      strangers.turnAway({ ...received, isFrame, scheme: 'nip44' }, link);
      const { plaintext } = stranger.decrypt(exit.pubkey, events().at(-1)!.content);
      const decoded = decodePlaintext(plaintext);
      expect(decoded).to.deep.include({ isFrame, invalid: 0 });
      expect(decoded.messages[0]).to.include({ type: 'RESET', key: KEY });
    }
  });

  it('are told when they ask for a connection back, too', () => {
    from(named(1), [CONNECTR]);
    expect(told(named(1))).to.equal(1);
  });

  it('hear nothing where they ask for nothing, or would not understand', () => {
    const window = { ack: 0, window: 0 };
    const empty = Buffer.alloc(0);
    const silent: Message[] = [
      { type: 'PING', key: KEY },
      { type: 'PONG', key: KEY },
      { type: 'RESET', key: KEY, error: 'connection_terminated' },
      { type: 'ACK', key: KEY, ...window },
      { type: 'OPEN', key: KEY, v: 1, window: 0 },
      { type: 'DATA', key: KEY, offset: 7, data: empty, fin: false, ...window },
      { type: 'PLAIN', key: KEY, data: empty },
      { type: 'CONNECT', key: KEY, destination: 'x.nostr:443' }, // of NIP-443
      { type: 'CONNECTR', key: KEY, destination: '', entryPublicAddress: '192.0.2.1:1' },
    ];
    for (const message of silent) {
      now += 1_000;
      from(named(1), [message]);
    }
    from(named(1), silent);
    from(named(1), []);
    expect([events(), lines]).to.deep.equal([[], []]);
    from(named(1), [...silent.slice(0, 7), CONNECT]);
    expect(told(named(1))).to.equal(1);
  });

  it('get so many answers a second between them; who got none is told at another time', () => {
    for (let index = 0; index < 100; index += 1) from(named(index));
    expect(events()).to.have.length(ANSWERS_A_SECOND);
    expect(lines).to.have.length(ANSWERS_A_SECOND);
    now += 1_000;
    from(named(99));
    from(named(0));
    expect([told(named(99)), told(named(0))]).to.deep.equal([1, 1]);
  });

  it('are forgotten past the bound, the oldest first', () => {
    const first = (count: number): void => {
      for (let index = 0; index < count; index += 1, now += 1_000) from(named(index));
    };
    first(MAX_TOLD);
    first(MAX_TOLD);
    expect(events()).to.have.length(MAX_TOLD);
    from(named(MAX_TOLD));
    now += 1_000;
    from(named(1));
    expect(told(named(1))).to.equal(1);
    from(named(0));
    expect(told(named(0))).to.equal(2);
  });
});
