// What arrives and is not for us, not genuine, not readable or not of the present is left out and counted.

import { expect } from 'chai';
import fc from 'fast-check';
import type { Event as NostrEvent } from 'nostr-tools';
import { pino } from 'pino';
import { createSigner, generateSecretKey } from '../../../src/crypto/signer.js';
import { messageEvent } from '../../../src/protocol/wire/events.js';
import { Reception } from '../../../src/tunnel/receiving/reception.js';

const PING = '{"type":"PING","key":"3b1f09a8-2b10-4daa-880c-2a392e781f09"}';

describe('tunnel/reception', () => {
  const us = createSigner(generateSecretKey());
  const peer = createSigner(generateSecretKey());
  const stranger = createSigner(generateSecretKey());
  let reception: Reception;
  let warnings: { skewS: number }[];

  beforeEach(() => {
    warnings = [];
    const log = pino(
      { level: 'warn' },
      { write: (line: string) => warnings.push(JSON.parse(line)) },
    );
    reception = new Reception(log);
    reception.signers.set(us.pubkey, us);
  });

  const nowS = (): number => Math.floor(Date.now() / 1_000);
  const event = (json = PING, ageS = 0, to = us.pubkey): NostrEvent =>
    peer.sign(messageEvent(to, peer.encrypt(to, json), nowS() - ageS));

  it('reads a message, in either encryption', () => {
    const read = reception.read(event());
    expect([read?.from, read?.messages[0]?.type, read?.scheme]).to.deep.equal([
      peer.pubkey,
      'PING',
      'nip44',
    ]);
    const nip04 = peer.sign(
      messageEvent(us.pubkey, peer.encrypt(us.pubkey, PING, 'nip04'), nowS()),
    );
    expect(reception.read(nip04)?.scheme).to.equal('nip04');
  });

  it('reads each event once, but is not fooled by a forged copy that comes first', () => {
    const genuine = event();
    expect(reception.read({ ...genuine, sig: '0'.repeat(128) })).to.equal(undefined);
    expect(reception.read({ ...genuine, content: 'x' })).to.equal(undefined);
    expect(reception.read(genuine)).to.not.equal(undefined);
    expect(reception.read(genuine)).to.equal(undefined);
    expect(reception.ignored).to.include({ badEvent: 2, duplicate: 1 });
  });

  it('leaves out what is for others, unreadable, or no message', () => {
    reception.read(event(PING, 0, stranger.pubkey));
    reception.read(peer.sign(messageEvent(us.pubkey, peer.encrypt(stranger.pubkey, PING), nowS())));
    reception.read(event('not JSON'));
    reception.read(event(`[${PING},{"type":"NONSENSE"},7]`));
    expect(reception.ignored).to.include({ foreign: 1, undecryptable: 1, badMessage: 3 });
  });

  it('leaves out what is far from the present, and warns of the clock once', () => {
    // A second may pass between making and reading.
    for (const ageS of [62, 300, -63])
      expect(reception.read(event(PING, ageS))).to.equal(undefined);
    expect(reception.read(event(PING, 55))).to.not.equal(undefined);
    expect(reception.ignored.skewed).to.equal(3);
    expect(warnings.map(({ skewS }) => Math.abs(skewS))).to.have.length(1);
    expect(warnings[0]?.skewS).to.be.within(-64, -62);
  });

  it('survives anything that a relay may send', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const odd = { ...event(), ...(typeof value === 'object' ? value : { content: value }) };
        reception.read(odd as NostrEvent);
        reception.read({ id: value, kind: 28333 } as unknown as NostrEvent);
      }),
      { numRuns: 50 },
    );
  });
});
