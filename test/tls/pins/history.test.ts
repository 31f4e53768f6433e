// What a record says of the pins before: since when there is one, and how often the certificate became another.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { PinStore } from '../../../src/tls/pins/pins.js';
import { expectError } from '../../support/expect-error.js';
import { newSigner, nowS, selfSigned, signedCertificate, temporaryHome } from '../support.js';

describe('PinStore: the history of a pin', () => {
  const home = temporaryHome();
  const path = (): string => join(home(), 'pins.json');
  const [first, second] = [selfSigned(), selfSigned()];

  it('counts other certificates, not the same one signed again, over restarts', async () => {
    const signer = newSigner();
    const store = await PinStore.open(home());
    const at = nowS() - 100;
    store.offer(signedCertificate(signer, [first], at));
    const [{ history } = {}] = store.latest(1);
    expect(history).to.include({ changes: 0 }).and.not.have.property('changedAt');
    expect(history?.since).to.be.within(nowS() - 5, nowS());
    store.offer(signedCertificate(signer, [first], at + 1));
    expect(store.latest(1)[0]?.history).to.deep.equal(history);
    store.offer(signedCertificate(signer, [second], at + 2));
    const [pin] = (await PinStore.open(home())).latest(1);
    expect(pin?.history).to.include({ changes: 1, since: history?.since });
    expect(pin?.history?.changedAt).to.be.within(nowS() - 5, nowS());
  });

  it('begins with what is on record, where that is of a version that kept none', async () => {
    const signer = newSigner();
    const store = await PinStore.open(home());
    const at = nowS() - 1_000;
    store.offer(signedCertificate(signer, [first], at));
    writeFileSync(path(), readFileSync(path(), 'utf8').replace(/,"history":\{[^}]*\}/g, ''));
    const reopened = await PinStore.open(home());
    expect(reopened.latest(1)[0]?.history).to.equal(undefined);
    reopened.offer(signedCertificate(signer, [second], at + 1));
    expect(reopened.latest(1)[0]?.history).to.include({ changes: 1, since: at });
  });

  it('shows those that were recorded last, the newest first', async () => {
    const store = await PinStore.open(home());
    const signers = [newSigner(), newSigner(), newSigner()];
    for (const signer of signers) store.offer(signedCertificate(signer, [first]));
    expect(store.size).to.be.at.least(3);
    const [one, two] = store.latest(2);
    expect([one?.pubkey, two?.pubkey]).to.deep.equal([signers[2]?.pubkey, signers[1]?.pubkey]);
  });

  it('is refused where it is broken', async () => {
    const store = await PinStore.open(home());
    store.offer(signedCertificate(newSigner(), [first]));
    writeFileSync(path(), readFileSync(path(), 'utf8').replace(/"changes":0/, '"changes":"x"'));
    expectError('bad_config', () => store.latest(1));
  });
});
