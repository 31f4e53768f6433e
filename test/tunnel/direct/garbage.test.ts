// A path that stands, and datagrams of strangers and of somebody on the way: garbage, and what was recorded.
// By hand: NWS_GARBAGE=1000000.

import { createHash, randomBytes, randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { encodeStunSuccess } from '../../../src/protocol/direct/stun.js';
import type { IncomingStream } from '../../../src/tunnel/opening/incoming.js';
import { readAll } from '../../support/read-all.js';
import { until } from '../../support/until.js';
import { EXIT, Pair, skipWithoutUdx } from './pair.js';
import { Tap } from './tap.js';

const DATAGRAMS = Number(process.env.NWS_GARBAGE ?? 40_000);
const ROUND = 200;
const MOST_BYTES = 1_400;
/** The first byte of a packet of UDX; the id of the stream that it is for stands in its next four. */
const UDX = 0xff;
const ID_AT = 4;
const HEADER_BYTES = 20;

describe('a direct path under garbage', function () {
  this.timeout(120_000);
  let pair: Pair;
  let tap: Tap;
  let stranger: Socket;
  let incoming: IncomingStream[];

  before(async function () {
    await skipWithoutUdx(this);
  });
  beforeEach(async () => {
    incoming = [];
    const port = await freePort();
    tap = await Tap.start(port);
    stranger = createSocket('udp4').bind(0, '127.0.0.1');
    await once(stranger, 'listening');
    pair = await Pair.start({
      onIncoming: (request) => incoming.push(request),
      judge: () => true,
      entry: { local: false },
      exit: {
        local: false,
        address: { host: '127.0.0.1', port: tap.port },
        listen: { host: '127.0.0.1', port },
      },
    });
    expect(await pair.arrange()).to.include({ state: 'standing', remote: `127.0.0.1:${tap.port}` });
  });
  afterEach(async () => {
    await pair?.close();
    tap?.close();
    stranger?.close();
  });

  async function open(): Promise<{ near: Duplex; far: Duplex }> {
    const opened = pair.entry.open(EXIT, { destination: 'any:80' });
    const count = incoming.length;
    await until(() => incoming.length > count);
    const far = incoming.at(-1)!.accept();
    return { far, near: (await opened)!.stream };
  }

  /** Floods the entry while a stream is open: all of it arrives in the end, and nothing has grown. */
  async function survives(make: () => Buffer, from?: Socket): Promise<void> {
    const { near, far } = await open();
    const bytes = randomBytes(4_000_000);
    const half = bytes.length / 2;
    far.write(bytes.subarray(0, half));
    await once(near, 'readable');
    const before = process.memoryUsage().rss;
    for (let sent = 0; sent < DATAGRAMS; sent += ROUND)
      await tap.toEntry(Array.from({ length: ROUND }, make), from);
    expect(process.memoryUsage().rss - before).to.be.below(100_000_000);
    far.end(bytes.subarray(half));
    near.end();
    far.resume();
    expect(hashOf(await readAll(near))).to.equal(hashOf(bytes));
    expect(pair.entry.reportOf(EXIT).state).to.equal('standing');
  }

  const udx = (): Buffer => oneOf(tap.kept.filter((bytes) => bytes[0] === UDX));
  const probe = (): Buffer => oneOf(tap.kept.filter((bytes) => bytes[0] === 0x6e));

  for (const [what, make] of [
    ['random bytes', () => randomBytes(randomInt(MOST_BYTES))],
    ['STUN that is cut short', () => cut(stun())],
    ['probes of other paths', () => Buffer.concat([probe().subarray(0, 6), randomBytes(34)])],
    ['packets for streams that are not there', () => changed(udx(), ID_AT, ID_AT + 4)],
    ['forged packets for streams that are', () => changed(udx(), HEADER_BYTES, MOST_BYTES)],
  ] as const) {
    it(`from a stranger stays as it is: ${what}`, () => survives(make, stranger));
  }

  for (const [what, make] of [
    ['probes that were seen before', probe],
    ['forged probes', () => changed(probe(), 6 + randomInt(30), 40)],
    ['packets that were seen before', udx],
    ['packets for streams that are not there', () => changed(udx(), ID_AT, ID_AT + 4)],
  ] as const) {
    it(`from where the other side is stays as it is: ${what}`, () => survives(make));
  }
});

function oneOf<T>(all: readonly T[]): T {
  return all[randomInt(all.length)]!;
}

function cut(bytes: Buffer): Buffer {
  return bytes.subarray(0, randomInt(bytes.length));
}

function stun(): Buffer {
  return encodeStunSuccess(randomBytes(12), { address: '8.8.8.8', port: 53 });
}

/** With other bytes between the two. */
function changed(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.from(bytes);
  randomBytes(to - from).copy(copy, from);
  return copy;
}

/** A port of UDP that was free just now. */
async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
