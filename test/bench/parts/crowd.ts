// Many clients that say a word through an entry, hear it back, and then are silent: crowd.ts PROXY HOST. `open N` over the
// channel opens so many more, a few at once, and answers how long that took, in ms.

import { connect, type Socket } from 'node:net';

/** So many open at the same time. */
const AT_ONCE = 32;
const WORD = 'hello\n';

const [, , proxy, host] = process.argv as string[];
const { hostname, port } = new URL(proxy!);
const idle: Socket[] = [];

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let heard = '';
    socket.once('error', reject).once('close', () => reject(new Error(`cut off: ${heard}`)));
    socket.on('data', (data) => {
      heard += data.toString();
      if (!heard.endsWith(WORD)) return;
      idle.push(socket.removeAllListeners('data').resume());
      resolve();
    });
    socket.write(`CONNECT ${host}:7 HTTP/1.1\r\nHost: ${host}:7\r\n\r\n${WORD}`);
  });
}

async function openAll(count: number): Promise<number> {
  const start = performance.now();
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await open();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return performance.now() - start;
}

process.on('message', async (question: string) => {
  const [verb, count] = question.split(' ');
  if (verb === 'open') process.send?.({ openedMs: await openAll(Number(count)) });
});
process.channel?.ref();
console.log('{}');
