// What a trust store is: who goes by it, and the commands that put the local CA in and take it out.

import type { Command, Machine } from './machine.js';

/** The CA as stores take it. */
export interface TrustedCa {
  /** File of its certificate. */
  readonly path: string;
  readonly pem: string;
  /** Its common name, which differs from machine to machine. */
  readonly label: string;
  /** For file names: eight hex digits of its fingerprint. */
  readonly id: string;
}

export interface TrustStore {
  readonly name: string;
  /** Programs that go by it. */
  readonly usedBy: string;
  /** What is missing for changing it, and where that is to be had. */
  readonly missing?: string;
  readonly install: readonly Command[];
  readonly uninstall: readonly Command[];
  /** Whether it has this CA now. */
  isTrusting(): Promise<boolean>;
}

/** The stores of one kind on a machine: none where it has none. */
export type FindStores = (ca: TrustedCa, machine: Machine) => Promise<TrustStore[]>;

/** The command as root, by sudo where the user isn't. */
export function asRoot(machine: Machine, ...command: Command): Command {
  return machine.isRoot ? command : ['sudo', ...command];
}

/** The base64 of a certificate, which is the same however lines are broken. */
export function bodyOf(pem: string): string {
  return pem.replace(/-----[^-]+-----|\s/g, '');
}

/** A command as it can be pasted into a shell. */
export function shellLine(command: Command): string {
  return command
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}
