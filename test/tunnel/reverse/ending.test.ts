// A reverse connection as both sides hand it on: its end arrives with everything before it, whoever leaves as soon as
// it has said its last, and an abort is never taken for an end, TLS on top or not.

import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { createSigner, generateSecretKey } from '../../../src/crypto/signer.js';
import { openExitCertificate } from '../../../src/tls/certificate.js';
import { SecuredStream } from '../../../src/tunnel/secured/stream.js';
import { useTempFolder } from '../../cli/harness.js';
import { until } from '../../support/until.js';
import { newSecret, Scene } from './support.js';

const ALL_BYTES = 5_000_000;
const chunk = Buffer.alloc(50_000, 'x');

describe('the end of a reverse connection', () => {
  const folder = useTempFolder();
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.start();
  });
  afterEach(() => scene.close());

  async function pair(isSecret: boolean): Promise<{ entry: SecuredStream; exit: SecuredStream }> {
    const { entry, exit } = await scene.pair(isSecret ? newSecret() : undefined);
    return { entry: new SecuredStream(entry), exit: new SecuredStream(exit) };
  }

  function writeAll(stream: Duplex): void {
    for (let left = ALL_BYTES; left > 0; left -= chunk.length) stream.write(chunk);
  }

  /** Reads in small steps. Resolves with what came, and with whether it ended in order. */
  function slowly(stream: Duplex): Promise<{ bytes: number; error: string | undefined }> {
    let bytes = 0;
    return new Promise((resolve) => {
      stream.on('data', (data: Buffer) => {
        bytes += data.length;
        stream.pause();
        void nextTurn().then(() => stream.resume());
      });
      stream.once('end', () => resolve({ bytes, error: undefined }));
      stream.on('error', ({ message }) => resolve({ bytes, error: message }));
    });
  }

  for (const kind of ['TLS', 'bare']) {
    const isSecret = kind === 'TLS';

    it(`brings everything to a slow reader when the writer leaves at once: ${kind}`, async () => {
      const { entry, exit } = await pair(isSecret);
      // Something that nobody has read would turn a close into a reset.
      entry.write('nobody reads this');
      await until(() => exit.readableLength > 0);
      const got = slowly(entry);
      writeAll(exit);
      exit.end(() => exit.destroy());
      expect(await got).to.deep.equal({ bytes: ALL_BYTES, error: undefined });
      entry.end();
      await until(() => scene.listener.counts.open === 0);
      expect(exit.destroyed).to.equal(true);
    });

    it(`is an error for a writer whose reader fails after its own end: ${kind}`, async () => {
      const { entry, exit } = await pair(isSecret);
      exit.end('all that there is');
      expect((await slowly(entry)).bytes).to.equal(17);
      const failed = once(entry, 'error');
      exit.destroy(new Error('the target is gone'));
      const more = (error?: Error | null): void => void (error || entry.write(chunk, more));
      more();
      await failed;
      await until(() => scene.listener.counts.open === 0);
    });
  }

  // A bare connection can't promise that: Node may take a reset that comes with data for an end.
  it('is an error where the writer is destroyed amid its bytes, inside TLS', async () => {
    const { entry, exit } = await pair(true);
    const got = slowly(entry);
    writeAll(exit);
    await until(() => entry.bytesRead > 0);
    exit.destroy();
    const { bytes, error } = await got;
    expect(bytes).to.be.below(ALL_BYTES);
    expect(error).to.be.a('string');
  });

  it('is seen by a second TLS on top, with every byte before it', async () => {
    const { entry, exit } = await pair(true);
    const { pubkey } = createSigner(generateSecretKey());
    const { cert, key } = await openExitCertificate(folder.path, pubkey, ['x.nostr']);
    const secureContext = createSecureContext({ cert, key });
    const server = new TLSSocket(exit, { isServer: true, secureContext });
    const client = connectTls({ socket: entry as Duplex as Socket, rejectUnauthorized: false });
    await once(client, 'secureConnect');
    const got = slowly(client);
    writeAll(server);
    server.end(() => server.destroy());
    expect(await got).to.deep.equal({ bytes: ALL_BYTES, error: undefined });
    client.end();
    await until(() => scene.listener.counts.open === 0);
    expect(entry.errored).to.equal(null);
  });

  it('is an error where it was over before anybody took it', async () => {
    const { entry, exit } = await scene.pair(newSecret());
    exit.on('error', () => undefined).destroy();
    await until(() => entry.closed);
    const late = new SecuredStream(entry);
    await until(() => late.closed);
    expect(late.errored).to.be.instanceOf(Error);
  });

  it('counts what passes', async () => {
    const { entry, exit } = await pair(true);
    writeAll(exit);
    exit.end();
    entry.end('thanks');
    expect((await slowly(entry)).bytes).to.equal(ALL_BYTES);
    await slowly(exit);
    expect(entry).to.include({ bytesRead: ALL_BYTES, bytesWritten: 6 });
    expect(exit).to.include({ bytesRead: 6, bytesWritten: ALL_BYTES });
  });
});
