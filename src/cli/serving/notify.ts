// Tells the service manager how a service is (sd_notify). The protocol is a datagram to NOTIFY_SOCKET, and Node has no
// datagrams to such sockets: systemd's own program sends it, which is there where systemd is. The unit has to take
// messages of the service's children (NotifyAccess=all).

import { execFile } from 'node:child_process';
import type { Logger } from 'pino';
import type { Io } from '../io.js';

/** It waits until systemd has read the message, which takes milliseconds. */
const TIMEOUT_MS = 5_000;

/** Sends words of sd_notify(3), as `READY=1`. Resolves when they were sent, or can't be; never rejects. */
export function notifyManager(io: Io, log: Logger, ...words: readonly string[]): Promise<void> {
  const { env } = io;
  if (!env.NOTIFY_SOCKET) return Promise.resolve();
  return new Promise((resolve) => {
    execFile('systemd-notify', words, { env, timeout: TIMEOUT_MS }, (error) => {
      if (error !== null) {
        const hint = 'a unit with Type=exec needs no such message';
        log.warn({ reason: reasonOf(error), hint }, `can't tell NOTIFY_SOCKET: ${words.join(' ')}`);
      }
      resolve();
    });
  });
}

function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'there is no systemd-notify' : error.message.trim();
}
