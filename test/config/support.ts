// For tests of settings: where they come from, and the error of those that must be refused.

import type { Sources } from '../../src/config/env.js';
import { NwsError } from '../../src/errors.js';

export function sources(parts: Partial<Sources> = {}): Sources {
  return { flags: {}, env: {}, cwd: '/folder', userHome: '/home/u', platform: 'linux', ...parts };
}

/** The error of a configuration that must be refused. */
export function refused(read: () => unknown): NwsError {
  try {
    read();
  } catch (error) {
    if (error instanceof NwsError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
