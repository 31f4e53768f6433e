// For tests of refusals: the call has to fail with an NwsError of this code, and with nothing else.

import { expect } from 'chai';
import { type ErrorCode, NwsError } from '../../src/errors.js';

/** Runs `act`, which has to throw; gives the error back for a closer look. */
export function expectError(code: ErrorCode, act: () => unknown, message = /./): NwsError {
  try {
    act();
  } catch (error) {
    if (!(error instanceof NwsError)) throw error;
    expect(error.code).to.equal(code);
    expect(error.message).to.match(message);
    return error;
  }
  return expect.fail(`expected ${code}, but nothing was thrown`);
}

/** Runs `act`, which has to reject with an NwsError, and gives that back. */
export async function errorOf(act: () => Promise<unknown>): Promise<NwsError> {
  try {
    await act();
  } catch (error) {
    if (error instanceof NwsError) return error;
    throw error;
  }
  return expect.fail('expected an error, but nothing was thrown');
}
