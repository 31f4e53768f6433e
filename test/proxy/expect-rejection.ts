// For tests of refusals: the promise has to be rejected with an NwsError.

import { NwsError } from '../../src/errors.js';

export async function expectRejection(promise: Promise<unknown>): Promise<NwsError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof NwsError) return error;
    throw error;
  }
  throw new Error('expected a rejection');
}
