// `nws run -- COMMAND`: a command with a proxy of its own, for scripts and CI.

import { ownProxyConfig } from '../../config/config.js';
import { badSetting } from '../../config/env.js';
import { startProxy } from '../../proxy/proxy.js';
import type { CommandBody } from '../command.js';
import { examples, options } from '../help.js';
import { type Io, makeHome, openLog, sourcesOf } from '../io.js';
import { runChild } from '../run/child.js';
import { clientEnv } from '../run/client-env.js';
import { givenSigner } from '../signers.js';
import { clearnetUpstreamOf, upstreamOf } from '../upstream.js';
import { waitingLine } from '../waiting.js';

export const runCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .usage('$0 run [options] -- COMMAND …')
      .options(options('relay', 'tls', 'require-pin', 'preconnect', 'clearnet', 'exit', 'alias'))
      .options(options('key', 'key-file', 'home', 'log-level', 'log-format'))
      .epilogue(
        examples(
          ['one request', 'nws run -- curl https://<name>.nostr/'],
          [
            'a CI job; the exit status is that of its command',
            'nws run --relay wss://relay.example -- npm ci --registry https://<name>.nostr/',
          ],
          [
            'several commands',
            `nws run -- sh -c 'git clone https://<name>.nostr/repo && make -C repo'`,
          ],
          ['a program in Node; its fetch() goes by the proxy', 'nws run -- node client.js'],
          [
            "behind a company's proxy, which all but .nostr goes by",
            'HTTPS_PROXY=http://user:password@proxy.example:3128 nws run -- npm ci',
          ],
        ),
      ),
  handler: async (flags) => {
    const sources = await sourcesOf(io, flags);
    const config = ownProxyConfig(sources);
    const [command, ...args] = commandOf(flags['--']);
    const waiting = waitingLine(io, flags);
    const log = openLog(io, config, waiting.stderr);
    await makeHome(config.home);
    const signer = await givenSigner(config);
    const upstream = { agentFor: upstreamOf(sources), upstreamFor: clearnetUpstreamOf(sources) };
    const proxy = await waiting.during('a proxy for the command', () =>
      startProxy({ ...config, log, ...upstream, ...(signer && { signer }) }),
    );
    io.onCrash.add(() => proxy.close(0));
    try {
      const env = await clientEnv(io, proxy.url, proxy.caPath, (text) => log.warn(text));
      io.exitStatus = await runChild(io, command, args, env);
    } finally {
      await proxy.close(0);
    }
  },
});

function commandOf(words: unknown): [string, ...string[]] {
  const [command, ...args] = Array.isArray(words) ? words.map(String) : [];
  if (command !== undefined) return [command, ...args];
  throw badSetting('run needs a command', 'like this: nws run -- curl https://<name>.nostr/');
}
