// A machine of which a test says what it has; it keeps what is run on it.

import type { Command, Machine } from '../../../src/cli/trust/machine.js';
import { shellLine, type TrustedCa } from '../../../src/cli/trust/store.js';

export const CA: TrustedCa = {
  path: '/home/me/ca.pem',
  pem: '-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n',
  label: 'nws local CA, .nostr only (0a1b2c3d)',
  id: '12345678',
};

export interface FakeMachine extends Machine {
  /** Shell lines of everything that changed it. */
  readonly ran: string[];
}

/**
 * @param paths files, folders and programs that are there
 * @param overrides what it does otherwise
 */
export function fakeMachine(
  paths: readonly string[],
  overrides: Partial<Machine> = {},
): FakeMachine {
  const ran: string[] = [];
  return {
    platform: 'linux',
    userHome: '/home/me',
    isRoot: false,
    find: async (program) => paths.find((path) => path.endsWith(`bin/${program}`)),
    exists: async (path) => paths.some((known) => `${known}/`.startsWith(`${path}/`)),
    list: async (folder) => {
      const below = paths.filter((path) => path.startsWith(`${folder}/`));
      return [...new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0]!))];
    },
    read: async () => undefined,
    realPath: async (path) => path,
    asks: async () => false,
    run: async (command: Command) => {
      ran.push(shellLine(command));
      return 0;
    },
    ...overrides,
    ran,
  };
}
