// A request, all the way to the target and back.

import { toNwsError } from '../../../errors.js';
import { type Check, failed, skipped } from '../check.js';
import { tryRequest } from '../try-request.js';

export const requestCheck: Check = {
  waitsFor: 'a request to the target',
  async *run(patient) {
    if (patient.decoded === undefined) return;
    if (patient.to === undefined) return yield skipped('request', 'the name has to be known first');
    try {
      const { status, elapsedMs, way } = await tryRequest(patient);
      const took = `in ${Math.round(elapsedMs)} ms`;
      const details = { httpStatus: status ?? null, elapsedMs, way };
      if (status === undefined) {
        const found = `the exit connects to its target, ${took}`;
        return yield { check: 'request', status: 'ok', found, details };
      }
      const found = `https://${patient.to.host}/ answers ${status}, ${took}`;
      if (status < 500) return yield { check: 'request', status: 'ok', found, details };
      const hint = 'that is the word of the server behind the exit: see its own log';
      yield { check: 'request', status: 'note', found, hint, details };
    } catch (error) {
      yield failed('request', toNwsError(error));
    }
  },
};
