// `nws exit`: the exit in front of one target, until a signal ends it.

import { readFile } from 'node:fs/promises';
import { type ExitConfig, exitConfig } from '../../config/config.js';
import { badSetting } from '../../config/env.js';
import { type RunningExit, startExit } from '../../exit/exit.js';
import type { CommandBody } from '../command.js';
import { examples, options } from '../help.js';
import { type Io, makeHome, openLog, print, sourcesOf } from '../io.js';
import { showQr } from '../qr.js';
import { serve } from '../serve.js';
import { reloader } from '../serving/reload.js';
import { exitSigner } from '../signers.js';
import { upstreamOf } from '../upstream.js';

export const exitCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('target', 'target-ca', 'target-name', 'target-fingerprint', 'host-header'))
      .options(options('relay', 'key', 'key-file'))
      .options(options('public', 'announce-interval', 'allow', 'deny'))
      .options(options('allow-client', 'deny-client'))
      .options(options('client-streams', 'client-opens', 'client-rate', 'status', 'auth'))
      .options(options('direct', 'direct-address', 'direct-listen', 'direct-local', 'stun'))
      .options(options('home', 'qr', 'log-level', 'log-format', 'json'))
      .epilogue(
        examples(
          [
            'a web server on this machine',
            'nws exit --target http://127.0.0.1:3000 --relay wss://relay.example',
          ],
          [
            'a virtual host of another server',
            'nws exit --target https://192.0.2.7 --host-header www.example.com --relay wss://relay.example',
          ],
          [
            'a NAS or router with a certificate of its own',
            'nws exit --target https://192.0.2.9 --target-fingerprint AB:CD:… --relay wss://relay.example',
          ],
          [
            'faster: by UDP past the relays, with proxies that have --direct, too',
            'nws exit --target http://127.0.0.1:3000 --relay wss://relay.example --direct --stun stun.example:3478',
          ],
          [
            'ssh, with a key of its own',
            'nws exit --target tcp://127.0.0.1:22 --key-file ssh.key --relay wss://relay.example',
          ],
          [
            'the same for one client alone, whose proxy has --key-file',
            'nws exit --target tcp://127.0.0.1:22 --allow-client npub1… --relay wss://relay.example',
          ],
          [
            'a public exit to the clear web, at 1 MB a second for each client',
            'nws exit --public --client-rate 1000000 --relay wss://relay.example',
          ],
          [
            'with a status page, and metrics for Prometheus, on http://127.0.0.1:9443',
            'nws exit --target http://127.0.0.1:3000 --relay wss://relay.example --status 9443',
          ],
          [
            'some hosts of an internal network, and nothing else',
            `nws exit --allow '*.intranet.example:443' --allow 10.1.0.0/16:80+443 --relay wss://relay.example`,
          ],
        ),
      ),
  handler: async (flags) => {
    const sources = await sourcesOf(io, flags);
    const config = exitConfig(sources);
    const log = openLog(io, config);
    await makeHome(config.home);
    const signer = await exitSigner(config, config.home);
    const agentFor = upstreamOf(sources);
    const target = await trustedTarget(config);
    const start = () => startExit({ ...config, target, signer, log, agentFor });
    const reload = reloader(io, flags, log, { read: exitConfig, config, live: LIVE }, update);
    const onReady = async (exit: RunningExit): Promise<undefined> => {
      const { pubkey, npub, domain, nprofile, statusUrl: status } = exit;
      const seen = status === undefined ? '' : ` — status: ${status}`;
      const line = `nws exit ready as ${npub} — ${howToUse(config, domain)}${seen}`;
      print(io, flags, { event: 'ready', pubkey, npub, domain, nprofile, status }, line);
      await showQr(io, flags, domain);
    };
    await serve(io, start, onReady, { log, reload });
  },
});

/** What changes without a restart. */
const LIVE = ['allow', 'deny', 'allowClients', 'denyClients', 'clientLimits'] as const;

function update(exit: RunningExit, config: ExitConfig): void {
  exit.update(config);
}

/** The target with what it is recognised by. @throws NwsError `bad_config` */
async function trustedTarget({ target, targetTrust }: ExitConfig): Promise<ExitConfig['target']> {
  if (target === undefined || targetTrust === undefined) return target;
  const { caFile, ...trust } = targetTrust;
  try {
    const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
    return { ...target, trust: { ...trust, ca } };
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw badSetting(`can't read the CA ${caFile} (${reason})`, 'check --target-ca', cause);
  }
}

function howToUse({ target }: ExitConfig, domain: string): string {
  if (target === undefined) return `use it with: nws proxy --clearnet exit --exit ${domain}`;
  if (target.kind === 'tcp') return `through a proxy: tunnel to ${domain}`;
  return `through a proxy: curl --cacert "$(nws ca --path)" https://${domain}/`;
}
