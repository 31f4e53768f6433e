// What a client may cost an HTTP target before it has asked for anything: so much time, and so long a head.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pino } from 'pino';
import { createSigner, generateSecretKey } from '../../../src/crypto/signer.js';
import { HttpTarget } from '../../../src/exit/targets/http-target.js';
import { parseTarget } from '../../../src/exit/targets/target.js';
import { CLIENT_HEAD_TIMEOUT_MS, MAX_HEADER_BYTES } from '../../../src/limits.js';
import { openExitCertificate } from '../../../src/tls/certificate.js';
import { type FakeIncoming, fakeIncoming } from '../../support/incoming.js';
import { readAll } from '../../support/read-all.js';
import { listen } from '../../support/servers.js';
import { ManualTimers, settle } from '../../support/simulator/manual-timers.js';

describe('the bounds of exit/http-target', () => {
  let home: string;
  let target: HttpTarget;
  let requests: number;
  let close: () => Promise<void>;

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'nws-http-bounds-'));
    const { pubkey } = createSigner(generateSecretKey());
    const certificate = await openExitCertificate(home, pubkey, []);
    const answer: RequestListener = (_req, res) => {
      requests += 1;
      res.end('hello');
    };
    const origin = await listen(createServer({ maxHeaderSize: 2 * MAX_HEADER_BYTES }, answer));
    const parsed = parseTarget(`http://127.0.0.1:${origin.port}`);
    target = new HttpTarget({ target: parsed, certificate, log: pino({ level: 'silent' }) });
    close = origin.close;
  });
  after(async () => {
    await target.close(0);
    await close();
    await rm(home, { recursive: true });
  });
  beforeEach(() => {
    requests = 0;
  });

  function open(): FakeIncoming {
    const fake = fakeIncoming();
    fake.client.on('error', () => undefined);
    target.serve(fake.incoming);
    return fake;
  }

  it('end a stream whose client says nothing for too long, and no other', async () => {
    const timers = new ManualTimers();
    try {
      const [silent, speaking] = [open(), open()];
      speaking.client.write('GET / HT');
      await settle();
      await timers.pass(CLIENT_HEAD_TIMEOUT_MS - 1);
      expect(silent.stream.destroyed).to.equal(false);
      await timers.pass(1);
      expect([silent.stream.destroyed, speaking.stream.destroyed]).to.deep.equal([true, false]);
      speaking.client.destroy();
      await settle();
      expect(timers.size).to.equal(0);
    } finally {
      timers.restore();
    }
  });

  it('refuse a head that is longer than they are, and take one that is not', async () => {
    const head = (bytes: number): string => {
      const [start, end] = ['GET / HTTP/1.1\r\nHost: x\r\nX: ', '\r\nConnection: close\r\n\r\n'];
      return start + 'x'.repeat(bytes - start.length - end.length) + end;
    };
    const fits = open();
    fits.client.write(head(MAX_HEADER_BYTES - 1_024));
    expect(String(await readAll(fits.client))).to.match(/^HTTP\/1\.1 200 .*hello/s);
    const long = open();
    long.client.write(head(MAX_HEADER_BYTES + 1_024));
    expect(String(await readAll(long.client))).to.match(/^HTTP\/1\.1 4\d\d /);
    long.client.end();
    if (!long.stream.closed) await once(long.stream, 'close');
    expect(requests).to.equal(1);
  });
});
