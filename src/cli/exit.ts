// `nws exit`: the exit in front of one target, until a signal ends it.

import type { CommandModule } from 'yargs';
import { exitConfig } from '../config.js';
import { startExit } from '../exit/exit.js';
import { examples, options } from './help.js';
import { exitSigner } from './identity.js';
import { type Io, makeHome, openLog, print, sourcesOf } from './io.js';
import { serve } from './serve.js';
import { upstreamOf } from './upstream.js';

export const exitCommand = (io: Io): CommandModule => ({
  command: 'exit',
  describe: 'Make a web server or TCP service reachable under a .nostr name',
  builder: (yargs) =>
    yargs
      .options(options('target', 'relay', 'host-header', 'key', 'key-file'))
      .options(options('home', 'log-level', 'log-format', 'json'))
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
            'ssh, with a key of its own',
            'nws exit --target tcp://127.0.0.1:22 --key-file ssh.key --relay wss://relay.example',
          ],
        ),
      ),
  handler: async (flags) => {
    const sources = await sourcesOf(io, flags);
    const config = exitConfig(sources);
    const log = openLog(io, config);
    await makeHome(config.home);
    const { target, relays, home, hostHeader } = config;
    const signer = await exitSigner(config, home);
    const agentFor = upstreamOf(sources);
    const start = () =>
      startExit({ signer, target, relays, home, log, agentFor, ...(hostHeader && { hostHeader }) });
    await serve(io, start, ({ pubkey, npub, domain, nprofile }) => {
      const use =
        target.kind === 'tcp'
          ? `tunnel to ${domain}`
          : `curl --cacert "$(nws ca --path)" https://${domain}/`;
      const line = `nws exit ready as ${npub} — through a proxy: ${use}`;
      print(io, flags, { event: 'ready', pubkey, npub, domain, nprofile }, line);
    });
  },
});
