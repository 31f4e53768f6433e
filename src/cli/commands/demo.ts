// `nws demo`: relay, site, exit and proxy in one process on loopback, a verified fetch, and a curl line.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { baseConfig } from '../../config/config.js';
import { createSigner, generateSecretKey } from '../../crypto/signer.js';
import { startExit } from '../../exit/exit.js';
import { parseTarget } from '../../exit/targets/target.js';
import { startProxy } from '../../proxy/proxy.js';
import { MemoryRelay } from '../../relay/embedded/memory-relay.js';
import type { CommandBody } from '../command.js';
import { checkDemo, type DemoUnderTest } from '../demo/check.js';
import { startDemoSite } from '../demo/site.js';
import { examples, options } from '../help.js';
import { type Flags, type Io, openLog, print, sourcesOf } from '../io.js';
import { type Service, serve } from '../serve.js';
import { type Waiting, waitingLine } from '../waiting.js';

export const demoCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('once', 'log-level', 'log-format', 'json'))
      .epilogue(
        examples(
          ['fetch a page and stay up, with a curl line to try', 'nws demo'],
          ['fetch it and leave, as a test of the installation', 'nws demo --once'],
        ),
      ),
  handler: async (flags) => {
    const waiting = waitingLine(io, flags);
    const log = openLog(io, baseConfig(await sourcesOf(io, flags), 'warn'), waiting.stderr);
    await serve(
      io,
      () => waiting.during('relay, site, exit and proxy', () => startDemo(log)),
      async (demo) => {
        await show(io, flags, demo, waiting);
        return flags.once === true ? 'done' : undefined;
      },
      { log },
    );
  },
});

type Demo = DemoUnderTest & Service;

/** Starts all parts; a failure half-way closes those that run. */
async function startDemo(log: Logger): Promise<Demo> {
  const closers: ((graceMs?: number) => Promise<unknown>)[] = [];
  const close = async (graceMs?: number): Promise<void> => {
    // Clients first, then what they use.
    for (const closer of closers.reverse()) await closer(graceMs);
  };
  try {
    const home = await mkdtemp(join(tmpdir(), 'nws-demo-'));
    closers.push(() => rm(home, { recursive: true, force: true }));
    return { ...(await startParts(home, log, closers)), close };
  } catch (error) {
    await close(0);
    throw error;
  }
}

async function startParts(
  home: string,
  log: Logger,
  closers: ((graceMs?: number) => Promise<unknown>)[],
): Promise<DemoUnderTest> {
  const relay = await MemoryRelay.start({ port: 0, log });
  closers.push(() => relay.close());
  const site = await startDemoSite();
  closers.push(() => site.close());
  const relays = [relay.url];
  const exit = await startExit({
    signer: createSigner(generateSecretKey()),
    relays,
    target: parseTarget(site.url),
    home: join(home, 'exit'),
    log,
  });
  closers.push((graceMs) => exit.close(graceMs));
  const proxy = await startProxy({
    listen: { host: '127.0.0.1', port: 0 },
    // The name brings its relay along.
    relays: [],
    home: join(home, 'proxy'),
    log,
    tls: 'terminate',
    requirePin: true,
    clearnet: 'direct',
    aliases: new Map(),
  });
  closers.push((graceMs) => proxy.close(graceMs));
  const { domain, pubkey } = exit;
  const check = { relayUrl: relay.url, proxyUrl: proxy.url, caPath: proxy.caPath, page: site.text };
  return { ...check, domain, pubkey, home: join(home, 'check'), log };
}

/** Each check as it holds, then the line to try in another terminal. */
async function show(io: Io, flags: Flags, demo: Demo, waiting: Waiting): Promise<void> {
  const url = `https://${demo.domain}/`;
  if (flags.json !== true) io.stdout.write(`fetching ${url}\n\n`);
  const steps = checkDemo(demo);
  for (;;) {
    const step = await waiting.during('the page, verified link by link', () => steps.next());
    if (step.done) break;
    const { name, shown } = step.value;
    print(io, flags, { event: 'verified', name, shown }, `  ✓ ${name.padEnd(12)} ${shown}`);
  }
  const curl = `curl --proxy ${demo.proxyUrl} --cacert ${demo.caPath} ${url}`;
  const ready = { event: 'ready', url, listen: demo.proxyUrl, ca: demo.caPath, curl };
  const rest =
    flags.once === true
      ? ''
      : `\n\nTry it in another terminal:\n\n  ${curl}\n\nWhat goes on is shown at ${demo.proxyUrl}/ in a browser. Ctrl-C ends.`;
  print(io, flags, ready, `\nThe page came through the tunnel, verified by its name.${rest}`);
}
