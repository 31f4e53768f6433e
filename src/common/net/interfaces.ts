// The network interfaces of this machine, also while the system doesn't tell: it can't where no file may be opened.

import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

let known: readonly NetworkInterfaceInfo[] = [];

/** Every address of every interface now, or those of before. @throws Error where there is no before */
export function interfaceAddresses(): readonly NetworkInterfaceInfo[] {
  try {
    known = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
  } catch (error) {
    if (known.length === 0) throw error;
  }
  return known;
}
