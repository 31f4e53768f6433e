// Upgrades by a seed: two bare streams behind a 101, or an answer in its place, however the origin cuts, ends or breaks
// them. Each side has exactly what the other sent, or both see an end.
//
//   NWS_SEED=7 NWS_FUZZ_UPGRADES=10000 npx mocha test/fuzz/upgrades.test.ts

import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { type Random, random as seeded } from '../support/random.js';
import { listenTcp, type Running } from '../support/servers.js';
import { until } from '../support/until.js';
import { AnswerReader } from './answer-reader.js';
import type { Door } from './client.js';
import { pick } from './draft.js';
import { Far } from './far.js';
import { Near, type Rig } from './near.js';
import type { Way } from './plan.js';

const SEED = Number(process.env.NWS_SEED ?? 10);
const UPGRADES = Number(process.env.NWS_FUZZ_UPGRADES ?? 500);
const AT_ONCE = 20;
const WAYS: readonly Way[] = ['absolute', 'connect', 'connect-tls', 'clear'];
const HANG_MS = 30_000;

interface Plan {
  readonly way: Way;
  /** What the origin makes of the request; `hangup`: it ends in the middle of its head. */
  readonly act: 'switch' | 'refuse' | 'hangup';
  /** What either side sends; of the client's, `early` comes right behind its head. */
  readonly up: Buffer;
  readonly early: number;
  readonly down: Buffer;
  /** Where the origin's writes are cut, its head included. */
  readonly cuts: readonly number[];
  /** Who ends first, and whether the origin breaks off after so many bytes instead. */
  readonly firstEnd: 'client' | 'origin';
  readonly breaksAt: number | undefined;
}

function planOf(number: number): Plan {
  const random = seeded(SEED * 1_000_003 + number);
  const size = (): number => random.integer(pick(random, [10, 1_000, 100_000]));
  const way = pick(random, WAYS);
  const up = bytes(random, size());
  const down = bytes(random, size());
  const cuts = Array.from({ length: random.integer(4) }, () => random.integer(down.length + 120));
  const isBroken = random.chance(0.15);
  return {
    way,
    act: pick(random, ['switch', 'switch', 'switch', 'switch', 'refuse', 'hangup']),
    up,
    early: random.chance(0.3) ? random.integer(Math.min(up.length, 500) + 1) : 0,
    down,
    cuts: cuts.sort((a, b) => a - b),
    // In TLS it is the whole connection that a client ends (RFC 5246, section 7.2.1).
    firstEnd: way === 'connect-tls' ? 'origin' : pick(random, ['client', 'origin']),
    breaksAt: isBroken ? random.integer(down.length + 1) : undefined,
  };
}

function bytes(random: Random, length: number): Buffer {
  const start = random.integer(256);
  const each = new Uint8Array(length);
  return Buffer.from(each.map((_, at) => (start + at * 31 + (at >> 8)) & 0xff));
}

/** Reads to the end of a stream, whichever it is. */
class Ear {
  bytes: Buffer = Buffer.alloc(0);
  isOver = false;
  readonly #parts: Buffer[] = [];
  #length = 0;

  constructor(stream: Duplex) {
    const over = (): void => {
      this.isOver = true;
    };
    stream.on('error', over).on('end', over).on('close', over);
    stream.on('data', (chunk: Buffer) => {
      this.#parts.push(chunk);
      this.#length += chunk.length;
    });
  }

  get length(): number {
    return this.#length;
  }

  all(): Buffer {
    return Buffer.concat(this.#parts);
  }

  async has(length: number): Promise<void> {
    await until(() => this.#length >= length || this.isOver);
  }

  async over(): Promise<void> {
    await until(() => this.isOver);
  }

  /** The head, when it is there. */
  async head(): Promise<string> {
    await until(() => this.all().includes('\r\n\r\n') || this.isOver);
    const text = this.all().toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    return end < 0 ? text : text.slice(0, end + 4);
  }
}

class UpgradeOrigin {
  readonly #running: Running<unknown>;
  /** What came behind the request of each plan. */
  readonly received = new Map<number, Buffer>();

  private constructor(running: Running<unknown>) {
    this.#running = running;
  }

  static async start(): Promise<UpgradeOrigin> {
    const origin: UpgradeOrigin = new UpgradeOrigin(
      await listenTcp((socket) => void origin.#serve(socket)),
    );
    return origin;
  }

  get port(): number {
    return this.#running.port;
  }

  get connections(): number {
    return this.#running.sockets.size;
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  async #serve(socket: Socket): Promise<void> {
    const ear = new Ear(socket);
    const head = await ear.head();
    const number = Number(/^GET \/u\/(\d+) /.exec(head)?.[1]);
    if (Number.isNaN(number)) return void socket.destroy();
    const plan = planOf(number);
    const answer = answerOf(plan);
    if (plan.act === 'hangup') return void socket.end(answer.subarray(0, 20));
    await write(socket, answer, plan.cuts);
    if (plan.act === 'refuse') return void socket.end();
    if (plan.breaksAt !== undefined) return void socket.resetAndDestroy();
    await ear.has(head.length + plan.up.length);
    if (plan.firstEnd === 'origin') socket.end();
    await ear.over();
    this.received.set(number, ear.all().subarray(head.length));
    socket.end();
  }
}

function answerOf({ act, down, breaksAt }: Plan): Buffer {
  const head =
    act === 'refuse'
      ? `HTTP/1.1 403 Forbidden\r\nContent-Length: ${down.length}\r\nConnection: close\r\n\r\n`
      : 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: fuzz\r\n\r\n';
  return Buffer.concat([
    Buffer.from(head),
    down.subarray(0, act === 'switch' ? breaksAt : undefined),
  ]);
}

async function write(socket: Socket, data: Buffer, cuts: readonly number[]): Promise<void> {
  let from = 0;
  for (const to of [...cuts, data.length]) {
    if (to > from) socket.write(data.subarray(from, to));
    from = Math.max(from, to);
    await turn();
  }
}

/** Runs one, and says what is wrong with it. */
async function runOne(
  number: number,
  plan: Plan,
  door: Door,
  origin: UpgradeOrigin,
): Promise<void> {
  const stream = await door.open();
  const ear = new Ear(stream);
  const head = `GET ${door.prefix}/u/${number} HTTP/1.1\r\nHost: ${door.host}\r\nConnection: Upgrade\r\nUpgrade: fuzz\r\n\r\n`;
  stream.write(Buffer.concat([Buffer.from(head), plan.up.subarray(0, plan.early)]));
  const answer = await ear.head();
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  const behind = (): Buffer => ear.all().subarray(answer.length);
  if (plan.act === 'hangup') expect(status).to.be.within(500, 599);
  else if (plan.act === 'refuse') {
    await ear.over();
    const reader = new AnswerReader('GET');
    reader.push(ear.all());
    expect(reader.head?.status).to.equal(403);
    expect([reader.isDone, reader.body.equals(plan.down)]).to.deep.equal([true, true]);
  } else if (plan.breaksAt !== undefined) {
    await ear.over();
    // A reset takes along what isn't read, and the whole answer where it comes with the head.
    if (status === 101)
      expect(plan.down.subarray(0, behind().length).equals(behind())).to.equal(true);
    else expect(status || 502).to.be.within(500, 599);
  } else {
    expect(status).to.equal(101);
    stream.write(plan.up.subarray(plan.early));
    if (plan.firstEnd === 'client') stream.end();
    await ear.over();
    stream.end();
    expect(behind().equals(plan.down), `${behind().length} of ${plan.down.length}`).to.equal(true);
    await until(() => origin.received.has(number));
    const came = origin.received.get(number)!;
    expect(came.equals(plan.up), `${came.length} of ${plan.up.length} up`).to.equal(true);
  }
  stream.destroy();
  if (!stream.closed) await once(stream, 'close');
}

describe(`upgrades by seed ${SEED}`, function () {
  this.timeout(Math.max(120_000, UPGRADES * 60));
  let origin: UpgradeOrigin;
  let rig: Rig | undefined;
  beforeEach(async () => {
    origin = await UpgradeOrigin.start();
  });
  afterEach(async () => {
    await rig?.cut();
    rig = undefined;
    await origin.close();
  });

  async function runs(started: Rig, count: number, ways: readonly Way[]): Promise<void> {
    rig = started;
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < count) {
        const number = next++;
        const plan = planOf(number);
        if (!ways.includes(plan.way)) continue;
        const { up, down, ...told } = plan;
        const what = JSON.stringify({ number, ...told, up: up.length, down: down.length });
        const late = AbortSignal.timeout(HANG_MS);
        const hung = once(late, 'abort').then(() => Promise.reject(new Error('hang')));
        try {
          await Promise.race([runOne(number, plan, started.door(plan.way), origin), hung]);
        } catch (error) {
          throw new Error(`${(error as Error).message}: ${what}`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    await rig.quiet();
    await rig.close();
    rig = undefined;
    await until(() => origin.connections === 0);
  }

  it('give each side what the other sent, or end', async () => {
    await runs(await Near.start(origin), UPGRADES, WAYS);
  });

  it('do so over a relay, too', async () => {
    const ways = WAYS.filter((way) => way !== 'clear');
    await runs(await Far.start(origin), Math.ceil(UPGRADES / 10), ways);
  });
});
