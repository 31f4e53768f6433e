// How long Chromium takes for a page with 60 small images over a relay with 100 ms each way: `npx tsx test/bench/page.ts`.
// One browser, whose own start isn't measured; for each run a profile of its own, without cache or connections. Prints each
// run and the median; leaves with 1 where that is over the limit. Needs chromium (or CHROMIUM=path).

import { setTimeout as pause } from 'node:timers/promises';
import { has } from '../e2e/support/tools.js';
import { World } from '../e2e/support/world.js';
import { listenHttp } from '../support/servers.js';
import { Browser } from './browser.js';

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
  const proxy = { preconnect: true };
  const world = await World.start({ target, proxy, behaviour: { deliveryDelayMs: DELAY_MS } });
  const browser = await Browser.start(BROWSER, world.proxy.url);
  try {
    const times: number[] = [];
    for (let run = 0; run <= RUNS; run += 1) {
      const measured = new Promise<number>((resolve) => (loaded = resolve));
      const page = await browser.open(world.https('/'));
      const ms = await inTime(measured);
      await page.close();
      console.log(
        run === 0 ? `warming up: ${Math.round(ms)} ms` : `run ${run}: ${Math.round(ms)} ms`,
      );
      if (run > 0) times.push(ms);
      await pause(4 * DELAY_MS);
    }
    const median = times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!;
    console.log(`median of ${RUNS}: ${Math.round(median)} ms (limit ${LIMIT_MS} ms)`);
    if (median >= LIMIT_MS) process.exitCode = 1;
  } finally {
    await browser.close();
    await world.close();
    await site.close();
  }
}

async function inTime(measured: Promise<number>): Promise<number> {
  const late = pause(PATIENCE_MS, undefined, { ref: false }).then(() => {
    throw new Error('no page');
  });
  return Promise.race([measured, late]);
}

await main();
