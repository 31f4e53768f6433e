// One request to the exit's target, made as any client makes it: through a proxy of our own.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { NwsError } from '../../errors.js';
import { type ProxyOptions, type RunningProxy, startProxy } from '../../proxy/proxy.js';
import { connectThrough } from '../lookup/check.js';
import { givenSigner } from '../signers.js';
import { upstreamOf } from '../upstream.js';
import type { Patient } from './check.js';

/** How long an answer may take, in milliseconds. */
const TIMEOUT_MS = 30_000;

export interface Answer {
  /** Of HTTP; undefined where the target is raw TCP, and was only connected to. */
  readonly status?: number | undefined;
  readonly elapsedMs: number;
  /** How its stream went. */
  readonly way: string | undefined;
}

/**
 * Asks for the page `/`, or where the exit publishes no certificate for a bare connection.
 * @param reverse where exits may connect back, if they are to
 * @throws NwsError or Error that says why there is no answer
 */
export async function tryRequest(
  patient: Patient,
  reverse: Partial<Pick<ProxyOptions, 'publicAddress' | 'reverseListen'>> = {},
): Promise<Answer> {
  const { config, log, sources, pin, decoded } = patient;
  if (decoded === undefined || decoded instanceof Error) throw new TypeError('there is no host');
  const { publicAddress: _public, reverseListen: _listen, auth: _auth, ...others } = config;
  const { direct: _direct, ...rest } = others;
  const signer = await givenSigner(config);
  const proxy = await startProxy({
    ...rest,
    ...reverse,
    listen: { host: '127.0.0.1', port: 0 },
    tls: pin === undefined ? 'passthrough' : 'terminate',
    preconnect: false,
    clearnet: 'deny',
    log,
    agentFor: upstreamOf(sources),
    ...(signer && { signer }),
  });
  try {
    let way: string | undefined;
    proxy.events.on('stream', (event) => {
      if (event.state === 'opened') way = event.way;
    });
    const startedAt = performance.now();
    const status = await (pin === undefined ? connect : fetchStatus)(proxy, decoded.host);
    return { status, elapsedMs: performance.now() - startedAt, way };
  } finally {
    await proxy.close(0);
  }
}

async function connect({ url }: RunningProxy, host: string): Promise<undefined> {
  (await connectThrough(url, `${host}:443`)).destroy();
}

async function fetchStatus({ url, caPath }: RunningProxy, host: string): Promise<number> {
  const ca = await readFile(caPath, 'utf8');
  const agent = new HttpsProxyAgent(url);
  const headers = { accept: 'text/plain, */*;q=0.5', 'user-agent': 'nws' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const request = get(`https://${host}/`, { agent, ca, headers, signal });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  try {
    if (response.headers['proxy-status'] === undefined) return response.statusCode ?? 0;
    const [chunk] = (await once(response, 'data')) as [Buffer];
    const [line = '', hint] = chunk.toString('utf8').split('\n');
    throw new NwsError('exit_unreachable', line.replace(/^nws: /, ''), {
      hint: hint?.replace(/^hint: /, '') || undefined,
    });
  } finally {
    response.destroy();
  }
}
