// Clients that ask for little and think in between, through an entry: interactive.ts PROXY CA URL COUNT. `start` over
// the channel begins, `stop` ends, and answers how long each request took, in ms.

import { readFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { get } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpsProxyAgent } from 'https-proxy-agent';

const THINK_MS = 100;

const [, , proxy, ca, url, count] = process.argv as string[];
const options = { keepAlive: true, maxSockets: 1, ca: readFileSync(ca!) };
const agents = Array.from({ length: Number(count) }, () => new HttpsProxyAgent(proxy!, options));
let running: Promise<unknown> = Promise.resolve();
let isRunning = false;
let latencies: number[] = [];

async function client(agent: Agent): Promise<void> {
  while (isRunning) {
    const start = performance.now();
    await answered(agent);
    latencies.push(performance.now() - start);
    await sleep(2 * THINK_MS * Math.random());
  }
}

function answered(agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url!, { agent, ca: options.ca }, (response) => {
      response.resume().once('end', resolve).once('error', reject);
    });
    request.once('error', reject);
  });
}

process.on('message', async (question) => {
  if (question === 'start') {
    latencies = [];
    isRunning = true;
    running = Promise.all(agents.map(client));
    process.send?.({ started: true });
  } else if (question === 'stop') {
    isRunning = false;
    await running;
    process.send?.({ latencies });
  }
});
process.channel?.ref();
console.log('{}');
