// The exit: does it give a sign of life, without anything being opened?

import { toNwsError } from '../../../errors.js';
import { Session } from '../../../tunnel/session.js';
import { givenSigner } from '../../signers.js';
import { type Check, failed, type Patient, skipped } from '../check.js';

export const exitCheck: Check = {
  waitsFor: 'a sign of life of the exit',
  async *run(patient) {
    const { to, pin } = patient;
    if (patient.decoded === undefined) return;
    if (to === undefined) return yield skipped('exit', 'the name has to be known first');
    if (pin?.reliable === false) {
      const found = 'speaks NIP-443 alone: it gives no sign of life before a request';
      return yield { check: 'exit', status: 'note', found };
    }
    try {
      const elapsedMs = await ping(patient, to);
      const details = { roundTripMs: elapsedMs };
      if (elapsedMs !== undefined) {
        const found = `answers, ${Math.max(1, Math.round(elapsedMs))} ms there and back`;
        return yield { check: 'exit', status: 'ok', found, details };
      }
      const found = 'gives no answer';
      const hint =
        'is it running, on these relays? An exit with --allow-client answers keys on its list: --key-file';
      yield { check: 'exit', status: 'failed', found, hint };
    } catch (error) {
      yield failed('exit', toNwsError(error));
    }
  },
};

async function ping(
  { pool, log, config }: Patient,
  { pubkey, relays }: NonNullable<Patient['to']>,
): Promise<number | undefined> {
  const signer = await givenSigner(config);
  const session = new Session({ pool, log, signer });
  try {
    return await session.ping({ peer: pubkey, relays });
  } finally {
    await session.close(0);
  }
}
