// The least that anybody can do with a relay: events signed beforehand, published and received without a look at them.
// blast.ts RELAY EVENTS PAYLOAD-BYTES: each `run` over the channel publishes them all once, and answers how long it took
// until the last one was there. Two processes, as sender and receiver are: this one publishes, its child receives.

import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { messageEvent } from '../../../src/protocol/wire/events.js';
import { encodeMessage } from '../../../src/protocol/wire/message.js';
import { library } from './library.js';

/** Events that wait for their OK. */
const MAX_UNCONFIRMED = 128;

const [, , relay, count, payloadBytes, role] = process.argv as string[];
const { createSigner, generateSecretKey } = await library();

if (role === undefined) await publish();
else await receive(role);

async function publish(): Promise<void> {
  const signer = createSigner(generateSecretKey());
  const peer = createSigner(generateSecretKey()).pubkey;
  const receiver = fork(process.argv[1]!, [relay!, count!, payloadBytes!, peer], {
    execArgv: ['--import', import.meta.resolve('tsx')],
  });
  process.once('exit', () => receiver.kill('SIGKILL'));
  await once(receiver, 'message');
  const ws = await connected();
  let unconfirmed = 0;
  let goOn = (): void => undefined;
  ws.on('message', () => {
    unconfirmed -= 1;
    goOn();
  });
  const data = randomBytes(Number(payloadBytes));
  const key = '00000000-0000-0000-0000-000000000000';
  const numbers = { offset: 0, ack: 0, window: 4_194_304, fin: false };
  const content = signer.encrypt(peer, encodeMessage({ type: 'DATA', key, ...numbers, data }));
  const frames = (run: number): string[] =>
    Array.from({ length: Number(count) }, (_, index) => {
      const template = messageEvent(peer, content, Math.floor(Date.now() / 1_000));
      const tags = [...template.tags, ['n', `${run} ${index}`]]; // no two have the same id
      return JSON.stringify(['EVENT', signer.sign({ ...template, tags })]);
    });
  let runs = 0;
  process.on('message', async (question) => {
    if (question !== 'run') return;
    const ready = frames((runs += 1));
    const before = process.cpuUsage();
    const start = performance.now();
    const all = once(receiver, 'message');
    for (const frame of ready) {
      while (unconfirmed >= MAX_UNCONFIRMED) await new Promise<void>((ok) => (goOn = ok));
      unconfirmed += 1;
      ws.send(frame);
    }
    const [{ cpuSeconds: receiverCpu }] = (await all) as [{ cpuSeconds: number }];
    const seconds = (performance.now() - start) / 1_000;
    const { user, system } = process.cpuUsage(before);
    const eventBytes = ready[0]!.length;
    process.send?.({ seconds, eventBytes, publisherCpu: (user + system) / 1e6, receiverCpu });
  });
  console.log('{}');
}

/** Tells when it listens, and then after each `count` events. */
async function receive(pubkey: string): Promise<void> {
  const ws = await connected();
  let received = 0;
  let before = process.cpuUsage();
  ws.on('message', (frame: Buffer) => {
    if (frame.toString('latin1', 2, 6) === 'EOSE') return void process.send?.('ready');
    if (frame.toString('latin1', 2, 7) !== 'EVENT') return;
    received += 1;
    if (received % Number(count) !== 0) return;
    const { user, system } = process.cpuUsage(before);
    before = process.cpuUsage();
    process.send?.({ cpuSeconds: (user + system) / 1e6 });
  });
  ws.send(JSON.stringify(['REQ', 'blast', { kinds: [28333], '#p': [pubkey], limit: 0 }]));
  process.once('disconnect', () => process.exit());
}

async function connected(): Promise<WebSocket> {
  const ws = new WebSocket(relay!, { perMessageDeflate: false });
  await once(ws, 'open');
  return ws;
}
