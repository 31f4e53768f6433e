// `nws proxy`: the entry, until a signal ends it.

import { type ProxyConfig, proxyConfig } from '../../config/config.js';
import { type RunningProxy, startProxy } from '../../proxy/proxy.js';
import type { CommandBody } from '../command.js';
import { examples, options } from '../help.js';
import { type Io, makeHome, openLog, print, sourcesOf } from '../io.js';
import { serve } from '../serve.js';
import { reloader } from '../serving/reload.js';
import { givenSigner } from '../signers.js';
import { upstreamOf } from '../upstream.js';

export const proxyCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('relay', 'listen', 'auth', 'tls', 'require-pin', 'preconnect', 'alias'))
      .options(options('clearnet', 'exit', 'public-address', 'reverse-listen', 'reverse-tls'))
      .options(options('direct', 'direct-exit', 'direct-address', 'direct-listen'))
      .options(options('direct-local', 'stun'))
      .options(options('key', 'key-file', 'home', 'log-level', 'log-format', 'json'))
      .epilogue(
        examples(
          ['listen on 127.0.0.1:8882; names bring their relays along', 'nws proxy'],
          [
            'then, in another terminal',
            `HTTPS_PROXY=http://127.0.0.1:8882 curl --cacert "$(nws ca --path)" https://<name>.nostr/`,
          ],
          [
            'the same by SOCKS5, for tools that know nothing else',
            'curl --proxy socks5h://127.0.0.1:8882 --cacert "$(nws ca --path)" https://<name>.nostr/',
          ],
          [
            'is all well? relays, streams, errors, in a browser or for programs',
            'curl http://127.0.0.1:8882/status.json',
          ],
          [
            'a free port, told as JSON, and a relay for names without one',
            'nws proxy --listen 127.0.0.1:0 --json --relay wss://relay.example',
          ],
          [
            'for others on a network that you trust, who need a password',
            'NWS_AUTH=user:password nws proxy --listen 0.0.0.0:8882',
          ],
          [
            'all of the web, through an exit of your choice',
            'nws proxy --clearnet exit --exit <name>.nostr',
          ],
          [
            'faster: exits connect to port 8883 of this machine, past the relays',
            'nws proxy --public-address entry.example:8883',
          ],
          [
            'faster behind a NAT: by UDP past the relays, with exits that have --direct, too',
            'nws proxy --direct --stun stun.example:3478',
          ],
        ),
      ),
  handler: async (flags) => {
    const sources = await sourcesOf(io, flags);
    const config = proxyConfig(sources);
    const log = openLog(io, config);
    await makeHome(config.home);
    const signer = await givenSigner(config);
    const agentFor = upstreamOf(sources, config.listen);
    const start = () => startProxy({ ...config, log, agentFor, ...(signer && { signer }) });
    const reading = { read: proxyConfig, config, live: ['aliases'] as const };
    const update = (proxy: RunningProxy, next: ProxyConfig): void => proxy.update(next);
    const reload = reloader(io, flags, log, reading, update);
    const onReady = ({ url, caPath }: RunningProxy): undefined => {
      const given = config.auth === undefined ? url : url.replace('//', '//<user>:<password>@');
      const line = `nws proxy ready on ${url} — export HTTPS_PROXY=${given}, then: curl --cacert ${caPath} https://<name>.nostr/`;
      print(io, flags, { event: 'ready', listen: url, ca: caPath }, line);
    };
    await serve(io, start, onReady, { log, reload });
  },
});
