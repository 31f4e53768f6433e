// More connections than the system lets a process open: those beyond are told so, and nothing else suffers.

import type { Server, Socket } from 'node:net';
import { expect } from 'chai';
import { listenTcp, type Running } from '../support/servers.js';
import { until } from '../support/until.js';
import { Processes } from './support/processes.js';

/** Node takes twenty for itself, its loader of TypeScript some more. */
const FILES = 128;
const ROOM = FILES / 2;

describe('a process that may open few files', function () {
  this.timeout(60_000);
  let target: Running<Server>;
  let processes: Processes;
  let relay: string;
  const sockets: Socket[] = [];

  before(function () {
    if (process.platform === 'win32') this.skip();
  });
  beforeEach(async () => {
    target = await listenTcp((socket) => void socket.on('error', () => undefined).pipe(socket));
    processes = await Processes.create();
    relay = await processes.anyRelay();
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await processes.close();
    await target.close();
  });

  /** What a client gets to read that says a word: its echo, or why there is none. */
  function word(): Promise<string> {
    const socket = processes.ask();
    sockets.push(socket);
    socket.write('word');
    return new Promise((resolve) => {
      let heard = '';
      const over = (): void => resolve(heard);
      socket.once('end', over).once('close', over);
      socket.on('data', (data) => {
        heard += String(data);
        if (heard.endsWith('word')) over();
      });
    });
  }

  it('as an exit refuses the streams beyond, lives on, and serves again when there is room', async () => {
    await processes.serve(`tcp://127.0.0.1:${target.port}`, relay);
    await processes.exit.end('SIGKILL');
    processes.files = FILES;
    await processes.exitAgain();
    expect(processes.exit.warnings('ulimit -n')).to.have.length(1);
    const heard: string[] = [];
    for (let count = 0; count < ROOM + 8; count += 1) heard.push(await word());
    const served = heard.filter((text) => text.endsWith('word'));
    expect(served).to.have.length(ROOM);
    for (const socket of sockets.splice(0)) socket.destroy();
    await until(async () => (await word()).endsWith('word'));
    expect(processes.exit.warnings('a bug ends this process')).to.deep.equal([]);
  });

  it('as an entry answers 503 to the connections beyond, with what to do about it', async () => {
    await processes.serve(`tcp://127.0.0.1:${target.port}`, relay);
    processes.files = FILES;
    await processes.proxyAgain();
    expect(processes.proxy.warnings('ulimit -n')).to.have.length(1);
    const heard: string[] = [];
    for (let count = 0; count < ROOM + 3; count += 1) heard.push(await word());
    expect(heard.filter((text) => text.endsWith('word'))).to.have.length(ROOM);
    for (const text of heard.slice(ROOM)) {
      expect(text).to.match(/^HTTP\/1\.1 503 .*proxy-status: .*connection_limit_reached/is);
      expect(text).to.include('ulimit -n');
    }
    for (const socket of sockets.splice(0)) socket.destroy();
    await until(async () => (await word()).endsWith('word'));
  });
});
