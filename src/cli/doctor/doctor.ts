// All checks, in the order in which a fault is best looked for: what is near first.

import type { Check, Finding, Patient } from './check.js';
import { certificateCheck } from './checks/certificate.js';
import { clockCheck } from './checks/clock.js';
import { directCheck } from './checks/direct.js';
import { exitCheck } from './checks/exit.js';
import { nameCheck } from './checks/name.js';
import { relaysCheck } from './checks/relays.js';
import { requestCheck } from './checks/request.js';
import { reverseCheck } from './checks/reverse.js';
import { settingsCheck } from './checks/settings.js';

const CHECKS: readonly Check[] = [
  settingsCheck,
  clockCheck,
  relaysCheck,
  nameCheck,
  certificateCheck,
  exitCheck,
  requestCheck,
  reverseCheck,
  directCheck,
];

/** Runs the checks one after the other. @param onWait told what each one waits for */
export async function* examine(
  patient: Patient,
  onWait: (text: string) => void,
): AsyncGenerator<Finding> {
  for (const { waitsFor, run } of CHECKS) {
    onWait(waitsFor);
    yield* run(patient);
  }
}
