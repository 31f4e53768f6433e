import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { KIND } from '../../../src/protocol/wire/events.js';
import { type Pin, PinStore } from '../../../src/tls/pins/pins.js';
import { fingerprintOf } from '../../../src/tls/x509/x509.js';
import { expectError } from '../../support/expect-error.js';
import {
  certificateTemplate,
  forged,
  newSigner,
  nowS,
  selfSigned,
  signedCertificate,
  temporaryHome,
} from '../support.js';

describe('PinStore', () => {
  const home = temporaryHome();
  const path = () => join(home(), 'pins.json');
  const signer = newSigner();
  const first = selfSigned();
  const second = selfSigned();
  let store: PinStore;
  beforeEach(async () => {
    store = await PinStore.open(home());
  });

  describe('an event', () => {
    it('becomes the pin of its author', () => {
      const event = signedCertificate(signer, [first]);
      const pin = store.offer(event);
      expect(pin).to.deep.include({
        pubkey: signer.pubkey,
        eventId: event.id,
        createdAt: event.created_at,
        pem: event.content,
        reliable: true,
        fingerprints: [fingerprintOf(first.certificate)],
        expiredAtBirth: false,
      });
      expect(store.get(signer.pubkey)).to.deep.equal(pin);
      expect(store.get(newSigner().pubkey)).to.equal(undefined);
    });

    it('may hold the next certificate, too', () => {
      const pin = store.offer(signedCertificate(signer, [first, second]));
      const both = [first, second].map(({ certificate }) => fingerprintOf(certificate));
      expect(pin.fingerprints).to.deep.equal(both);
    });

    it('may come without tags of ours, with a certificate that was never valid, as from Go', () => {
      const day = new Date(1_700_000_000_000);
      const never = selfSigned({ notBefore: day, notAfter: day });
      const template = certificateTemplate(signer, [never]);
      const pin = store.offer(signer.sign({ ...template, tags: [['p', signer.pubkey]] }));
      expect(pin).to.deep.include({ reliable: false, expiredAtBirth: true });
      expect(pin.certificates[0]).to.deep.include({ notBefore: day, notAfter: day });
    });

    it('with a forged signature is refused', () => {
      const event = forged(signedCertificate(signer, [first]));
      expectError('pin_mismatch', () => store.offer(event), /forged signature/);
      expect(store.get(signer.pubkey)).to.equal(undefined);
    });

    it('of another kind or address is refused', () => {
      const template = certificateTemplate(signer, [first]);
      const wrongKind = signer.sign({ ...template, kind: KIND.announcement });
      expectError('pin_mismatch', () => store.offer(wrongKind), /kind 38333/);
      const wrongAddress = signer.sign({ ...template, tags: [['d', 'other']] });
      expectError('pin_mismatch', () => store.offer(wrongAddress), /another address/);
    });

    it('whose x tag names another certificate is refused', () => {
      const tags = [['x', fingerprintOf(second.certificate)]];
      const event = signer.sign({ ...certificateTemplate(signer, [first]), tags });
      expectError('pin_mismatch', () => store.offer(event), /x tag/);
    });

    it('with anything else than a few certificates is refused', () => {
      const pem = first.certificate.toString();
      const key = first.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
      const contents = {
        'no certificate': ['', 'hello', pem.slice(0, 100)],
        'a broken certificate': [pem.replace('MII', 'AAA'), pem.replace(/\n.{64}\n/, '\n')],
        'something else than': [pem + key, pem + pem.slice(0, 100)],
        'more than 4 certificates': [pem.repeat(5)],
        'longer than': [pem + ' '.repeat(16_384)],
      };
      for (const [reason, bad] of Object.entries(contents)) {
        for (const content of bad) {
          const event = signer.sign({ ...certificateTemplate(signer, [first]), content });
          expectError('pin_mismatch', () => store.offer(event), new RegExp(reason));
        }
      }
      expect(readdirSync(home())).to.deep.equal([]);
    });

    it('from the future is refused, since it would outdate all that follow', () => {
      const ahead = signedCertificate(signer, [first], nowS() + 960);
      expectError('pin_mismatch', () => store.offer(ahead), /future/);
      const skewed = signedCertificate(signer, [first], nowS() + 840);
      expect(store.offer(skewed).eventId).to.equal(skewed.id);
    });
  });

  describe('of several events', () => {
    const older = signedCertificate(signer, [first], nowS() - 100);
    const newer = signedCertificate(signer, [second], nowS() - 50);

    it('the newest stands, in whatever order they come', () => {
      expect(store.offer(older).eventId).to.equal(older.id);
      expect(store.offer(newer).eventId).to.equal(newer.id);
      expect(store.offer(older).eventId).to.equal(newer.id);
      expect(store.get(signer.pubkey)?.fingerprints).to.deep.equal([
        fingerprintOf(second.certificate),
      ]);
    });

    it('the one with the lower id stands where both are of one second', () => {
      const at = nowS() - 10;
      const events = [first, second].map((certified) => signedCertificate(signer, [certified], at));
      const [low, high] = events.sort((a, b) => (a.id < b.id ? -1 : 1));
      expect(store.offer(high!).eventId).to.equal(high!.id);
      expect(store.offer(low!).eventId).to.equal(low!.id);
      expect(store.offer(high!).eventId).to.equal(low!.id);
    });

    it('the newest is known after a restart', async () => {
      const pin = store.offer(newer);
      const reopened = await PinStore.open(home());
      expect(reopened.get(signer.pubkey)).to.deep.equal(pin);
      expect(reopened.offer(older).eventId).to.equal(newer.id);
    });

    it('the newest is known to every process that shares the home', async () => {
      const other = await PinStore.open(home());
      const stranger = newSigner();
      store.offer(older);
      other.offer(signedCertificate(stranger, [first]));
      other.offer(newer);
      expect(store.offer(older).eventId).to.equal(newer.id);
      const reopened = await PinStore.open(home());
      for (const one of [store, other, reopened]) {
        expect(one.get(signer.pubkey)?.eventId).to.equal(newer.id);
        expect(one.get(stranger.pubkey)?.pubkey).to.equal(stranger.pubkey);
      }
    });

    it('the newest survives the loss of the file while the process runs', async () => {
      store.offer(newer);
      rmSync(path());
      expect(store.offer(older).eventId).to.equal(newer.id);
      store.offer(signedCertificate(newSigner(), [first]));
      expect((await PinStore.open(home())).get(signer.pubkey)?.eventId).to.equal(newer.id);
    });
  });

  describe('the file', () => {
    const event = signedCertificate(signer, [first]);

    it('is for its owner alone, and the only one left behind', () => {
      store.offer(event);
      expect(statSync(path()).mode & 0o777).to.equal(0o600);
      expect(readdirSync(home())).to.deep.equal(['pins.json']);
    });

    it('is written only when something is new', () => {
      store.offer(event);
      const before = statSync(path()).mtimeMs;
      const inode = statSync(path()).ino;
      store.offer(event);
      expect(statSync(path())).to.include({ mtimeMs: before, ino: inode });
    });

    it('is refused, not replaced, when it is broken or open to others', async () => {
      store.offer(event);
      const good = readFileSync(path(), 'utf8');
      const record = JSON.parse(good).pins[0] as Pin;
      const withRecord = (change: object) =>
        JSON.stringify({ version: 1, pins: [{ ...record, ...change }] });
      const broken = [
        '',
        '[]',
        'null',
        good.slice(0, -20),
        good.replace('"version":1', '"version":2'),
        withRecord({ pubkey: 'x' }),
        withRecord({ eventId: undefined }),
        withRecord({ createdAt: '5' }),
        withRecord({ reliable: 1 }),
        JSON.stringify({ version: 1, pins: [null] }),
      ];
      for (const text of broken) {
        writeFileSync(path(), text);
        const error = await PinStore.open(home()).then(
          () => expect.fail(`should have refused ${text}`),
          (reason: unknown) => reason,
        );
        expect(error).to.include({ code: 'bad_config' });
        expectError('bad_config', () => store.offer(event), /broken/);
        expect(readFileSync(path(), 'utf8')).to.equal(text);
      }
      writeFileSync(path(), good);
      chmodSync(path(), 0o644);
      expectError('bad_config', () => store.get(signer.pubkey), /others/);
    });

    it('with a certificate that is none is refused when it is needed', async () => {
      store.offer(event);
      const text = readFileSync(path(), 'utf8').replace('MII', 'AAA');
      writeFileSync(path(), text);
      const reopened = await PinStore.open(home());
      expectError('bad_config', () => reopened.get(signer.pubkey), /broken/);
    });

    it('that can not be written makes the offer fail, since nothing would guard', async () => {
      const file = join(home(), 'file');
      const homeless = await PinStore.open(join(file, 'later'));
      writeFileSync(file, '');
      expectError('bad_config', () => homeless.offer(event), /cannot/);
    });

    it('is written although a process that died left its lock', () => {
      writeFileSync(`${path()}.lock`, '');
      store.offer(event);
      expect(readdirSync(home())).to.deep.equal(['pins.json']);
    });

    it('forgets the pin that was recorded first beyond its bound', async () => {
      const { pubkey: _, ...rest } = store.offer(event);
      const pins = Array.from({ length: 5_000 }, (_unused, index) => ({
        ...rest,
        pubkey: index.toString(16).padStart(64, '0'),
        pem: '',
      }));
      const pinned = { ...rest, pubkey: 'f'.repeat(64) };
      writeFileSync(path(), JSON.stringify({ version: 1, pins: [...pins, pinned] }));
      const full = await PinStore.open(home());
      expect(full.get(pins[0]!.pubkey)).to.equal(undefined);
      expect(full.get(pinned.pubkey)?.fingerprints).to.deep.equal(rest.fingerprints);
      full.offer(event);
      const written = JSON.parse(readFileSync(path(), 'utf8')).pins as Pin[];
      expect(written).to.have.length(5_000);
      expect(written.at(-1)?.pubkey).to.equal(signer.pubkey);
    });
  });
});
