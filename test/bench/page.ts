// How long Chromium takes for a page with 60 small images over a relay with 100 ms each way: `npx tsx test/bench/page.ts`.
// Prints each run and the median; leaves with 1 where that is over the limit. Needs chromium (or CHROMIUM=path).

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { has } from '../e2e/support/tools.js';
import { World } from '../e2e/support/world.js';
import { listenHttp } from '../support/servers.js';

const RUNS = Number(process.env.RUNS ?? 5);
const IMAGES = 60;
const DELAY_MS = 100;
const LIMIT_MS = 1_000;
const PATIENCE_MS = 30_000;
const BROWSER = process.env.CHROMIUM ?? 'chromium';
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
const TAGS = Array.from({ length: IMAGES }, (_, n) => `<img src="/${n}.gif" width="8" height="8">`);
const PAGE = `<!doctype html><link rel="icon" href="data:,"><title>page</title>${TAGS.join('')}
<script>onload = () => fetch('/loaded?ms=' + performance.now())</script>`;

async function main(): Promise<void> {
  if (!has(BROWSER, ['--version'])) return;
  let loaded: (ms: number) => void = () => undefined;
  const site = await listenHttp((req, res) => {
    const [path, query = ''] = (req.url ?? '').split('?ms=');
    if (path === '/loaded') loaded(Number(query));
    const isPage = path === '/';
    res.setHeader('Content-Type', isPage ? 'text/html' : 'image/gif');
    res.setHeader('Cache-Control', 'no-store');
    res.end(isPage ? PAGE : PIXEL);
  });
  const target = `http://127.0.0.1:${site.port}`;
  const world = await World.start({ target, behaviour: { deliveryDelayMs: DELAY_MS } });
  try {
    const times: number[] = [];
    for (let run = 1; run <= RUNS; run += 1) {
      const measured = new Promise<number>((resolve) => (loaded = resolve));
      times.push(await load(world, measured));
      console.log(`run ${run}: ${Math.round(times.at(-1)!)} ms`);
    }
    const median = times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!;
    console.log(`median of ${RUNS}: ${Math.round(median)} ms (limit ${LIMIT_MS} ms)`);
    if (median >= LIMIT_MS) process.exitCode = 1;
  } finally {
    await world.close();
    await site.close();
  }
}

/** Each time a browser of its own, which knows nothing yet. */
async function load(world: World, measured: Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'nws-page-'));
  const browser = spawn(
    BROWSER,
    [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
      `--user-data-dir=${folder}`,
      `--proxy-server=${world.proxy.url}`,
      '--ignore-certificate-errors', // what is measured is time
      '--remote-debugging-port=0', // else it leaves as soon as there is nothing to do
      world.https('/'),
    ],
    { stdio: 'ignore', detached: true },
  );
  const gone = once(browser, 'exit');
  const end = (): boolean => process.kill(-browser.pid!, 'SIGKILL'); // and its children
  const timer = setTimeout(end, PATIENCE_MS);
  try {
    return await Promise.race([measured, gone.then(() => Promise.reject(new Error('no page')))]);
  } finally {
    clearTimeout(timer);
    if (browser.exitCode === null) end();
    await gone;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

await main();
