// Chromium, led by playwright, where it is found: fresh profiles, and nothing that it would ask of the network by itself.

import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

const NAMES = [process.env.CHROMIUM ?? 'chromium', 'chromium-browser', 'google-chrome'];
const QUIET = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** The program; undefined where there is none, which is said. */
export function chromiumPath(): string | undefined {
  for (const name of NAMES) {
    try {
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {
      // the next one
    }
  }
  console.log('    (chromium is not found here: its tests are left out)');
  return undefined;
}

/** @param args beside those that keep it quiet */
export function startChromium(executablePath: string, ...args: string[]): Promise<Browser> {
  return chromium.launch({ executablePath, args: [...QUIET, ...args] });
}
