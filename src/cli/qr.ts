// A name as a QR code in a terminal, for a telephone that looks at it. Drawn in half blocks, dark on light whatever the
// terminal's colours are.

import type { Flags, Io } from './io.js';

/** Writes the code to stdout where `--qr` asks for it, unless that has JSON alone. */
export async function showQr(io: Io, flags: Flags, text: string): Promise<void> {
  if (flags.qr !== true || flags.json === true) return;
  const { default: qrcode } = await import('qrcode');
  const isTerminal = io.stdout.isTTY === true;
  const options = isTerminal
    ? ({ type: 'terminal', small: true, errorCorrectionLevel: 'L' } as const)
    : ({ type: 'utf8', errorCorrectionLevel: 'L' } as const);
  io.stdout.write(`\n${(await qrcode.toString(text, options)).replace(/\n+$/, '')}\n`);
}
