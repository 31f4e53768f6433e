// TLS sessions to exits that are resumed: still under the pin, for the certificate that was shown once.

import { type Duplex, duplexPair } from 'node:stream';
import tls from 'node:tls';
import { expect } from 'chai';
import type { NwsError } from '../../src/errors.js';
import { connectPinned, type PinnedSession } from '../../src/tls/handshake.js';
import { type Pin, pinOf } from '../../src/tls/pins/pin.js';
import { type CertifiedKey, fingerprintOf } from '../../src/tls/x509/x509.js';
import { until } from '../support/until.js';
import { selfSigned } from './support.js';

const DAY_MS = 86_400_000;

function pinFor({ certificate }: CertifiedKey): Pin {
  const [pubkey, eventId] = ['1'.repeat(64), '2'.repeat(64)];
  return pinOf({ pubkey, eventId, createdAt: 0, pem: certificate.toString(), reliable: true });
}

describe('connectPinned with a session of before', () => {
  const certified = selfSigned();
  const pin = pinFor(certified);
  const open: tls.TLSSocket[] = [];
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });

  /** What an exit that serves this certificate keeps between connections. */
  function exitOf({ certificate, privateKey }: CertifiedKey) {
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' });
    return tls.createSecureContext({ key, cert: certificate.toString() });
  }

  /** A connection to it. */
  function dial(secureContext: tls.SecureContext): Duplex {
    const [near, far] = duplexPair();
    const socket = new tls.TLSSocket(far, { isServer: true, secureContext });
    open.push(socket.on('error', () => undefined).resume());
    return near;
  }

  async function connect(
    context: tls.SecureContext,
    options: { session?: PinnedSession; pin?: Pin; now?: Date } = {},
  ): Promise<{ socket: tls.TLSSocket; sessions: PinnedSession[] }> {
    const sessions: PinnedSession[] = [];
    const onSession = (session: PinnedSession): number => sessions.push(session);
    const base = { pin, servername: 'x.nostr', onSession };
    const socket = await connectPinned(dial(context), { ...base, ...options });
    open.push(socket.resume());
    return { socket, sessions };
  }

  async function first(context: tls.SecureContext): Promise<PinnedSession> {
    const { sessions } = await connect(context);
    await until(() => sessions.length > 0);
    return sessions.at(-1)!;
  }

  async function refusal(attempt: Promise<unknown>): Promise<NwsError> {
    try {
      await attempt;
    } catch (error) {
      return error as NwsError;
    }
    throw new Error('accepted');
  }

  it('resumes it, as often as the exit lets it', async () => {
    const exit = exitOf(certified);
    const session = await first(exit);
    expect(session.fingerprint).to.equal(fingerprintOf(certified.certificate));
    for (let round = 0; round < 3; round += 1) {
      const { socket } = await connect(exit, { session });
      expect(socket.isSessionReused()).to.equal(true);
    }
  });

  it('is refused where its certificate is none of the pin’s', async () => {
    const exit = exitOf(certified);
    const session = await first(exit);
    const error = await refusal(connect(exit, { session, pin: pinFor(selfSigned()) }));
    expect(error.code).to.equal('pin_mismatch');
    expect(error.message).to.contain(session.fingerprint);
  });

  it('is held to the dates of its certificate', async () => {
    const exit = exitOf(certified);
    const session = await first(exit);
    const now = new Date(Date.now() + 31 * DAY_MS);
    expect((await refusal(connect(exit, { session, now }))).code).to.equal('pin_mismatch');
  });

  it('is nothing to another exit, which has to show its certificate', async () => {
    const session = await first(exitOf(certified));
    const again = await connect(exitOf(certified), { session }); // started anew
    expect(again.socket.isSessionReused()).to.equal(false);
    const error = await refusal(connect(exitOf(selfSigned()), { session }));
    expect(error.code).to.equal('pin_mismatch');
  });
});
