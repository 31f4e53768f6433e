// Random bytes by the handful. Each event takes two of 32 bytes, and asking OpenSSL for them one by one costs a message
// more than its base64 does; as node:crypto's own randomUUID, these are drawn ahead.

import { randomFillSync } from 'node:crypto';

const POOL = Buffer.allocUnsafeSlow(4_096);
let used = POOL.length;

/** So many bytes, 1 to 4,096, from the same source as `randomBytes`, and kept nowhere else. */
export function randomHandful(bytes: number): Buffer {
  if (used + bytes > POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  const drawn = POOL.subarray(used, (used += bytes));
  const own = Buffer.from(drawn);
  drawn.fill(0);
  return own;
}
