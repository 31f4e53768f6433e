// The certificate that the exit's key signed: is there one, and how long does it last?

import { toNwsError } from '../../../errors.js';
import { PinResolver, PinStore } from '../../../tls/pins/pins.js';
import { type Check, type Finding, failed, type Patient, skipped } from '../check.js';

const SOON_MS = 7 * 86_400_000;

export const certificateCheck: Check = {
  waitsFor: 'the certificate that the exit’s key signed',
  async *run(patient) {
    if (patient.decoded === undefined) return;
    if (patient.to === undefined) {
      return yield skipped('certificate', 'the name has to be known first');
    }
    try {
      yield await lookUp(patient, patient.to);
    } catch (error) {
      yield failed('certificate', toNwsError(error));
    }
  },
};

async function lookUp(patient: Patient, to: NonNullable<Patient['to']>): Promise<Finding> {
  const { config, pool: source, log } = patient;
  const pins = new PinResolver({ store: await PinStore.open(config.home), source, log });
  const pin = await pins.pinFor(to.pubkey, to.relays, { fresh: true });
  if (pin === undefined) {
    const found = 'none published: https is not verified by the name';
    const hint = 'right for tcp:// targets; else start the exit, on these relays';
    return { check: 'certificate', status: 'note', found, hint };
  }
  patient.pin = pin;
  const [current] = pin.certificates;
  const { fingerprint, notAfter, expiredAtBirth } = current!;
  const details = { eventId: pin.eventId, fingerprint, notAfter: notAfter.toISOString() };
  const of = `signed ${new Date(pin.createdAt * 1_000).toISOString()}; ${fingerprint.slice(0, 16)}…`;
  const base = { check: 'certificate', details };
  if (expiredAtBirth) {
    return { ...base, status: 'ok', found: `${of}; its dates are void, the signature counts` };
  }
  const leftMs = notAfter.getTime() - Date.now();
  const found = `${of}; until ${details.notAfter}`;
  const hint = 'an exit renews it by itself when it starts: start it anew';
  if (leftMs <= 0) return { ...base, status: 'failed', found: `${found}, which is over`, hint };
  if (leftMs < SOON_MS) return { ...base, status: 'note', found, hint };
  return { ...base, status: 'ok', found };
}
