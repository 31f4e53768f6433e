// An exit of ours and entries that know NIP-443 alone.

import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { decodeMessages, encodeMessage, type Message } from '../../../src/protocol/wire/message.js';
import { data, NAME, peer, plain, said, textOf } from './plain-peers.js';

describe('protocol: an exit and an entry of NIP-443', () => {
  const connect = (key: string): Message => ({ type: 'CONNECT', key, destination: NAME });

  it('answers with nothing but data, not sooner than the entry listens', () => {
    const exit = peer('exit');
    const key = randomUUID();
    const stream = exit.receive(connect(key), 0, true)!;
    expect(stream.phase).to.equal('dialling');
    exit.receive(data(key, 'GET'), 5, true);
    stream.accept(10);
    expect(String(stream.receive.take(10))).to.equal('GET');
    stream.send.write(Buffer.from('200'));
    expect(plain(exit, 154)).to.deep.equal([]);
    expect(textOf(plain(exit, 155))).to.equal('200');
    expect(said(exit, 200)).to.deep.equal([]);
  });

  it('keeps data that came before its CONNECT, for a moment and within bounds', () => {
    const exit = peer('exit');
    const [key, late] = [randomUUID(), randomUUID()];
    exit.receive(data(key, 'first '), 0, true);
    exit.receive(data(key, 'second'), 1, true);
    exit.receive(data(late, 'lost'), 1, true);
    for (let piece = 0; piece < 100; piece += 1) exit.receive(data(key, '.'), 2, true);
    const stream = exit.receive(connect(key), 3, true)!;
    const kept = stream.receive.take(4);
    expect(String(kept)).to.equal('first ');
    expect(stream.receive.bufferedBytes).to.equal('second'.length + 61);
    exit.tick(3_100);
    expect(exit.receive(connect(late), 3_101, true)!.receive.bufferedBytes).to.equal(0);
  });

  it('takes the data of a CONNECT as the first of the stream', () => {
    const exit = peer('exit');
    const first = { ...connect(randomUUID()), data: Buffer.from('GET') } as Message;
    expect(String(exit.receive(first, 0, true)!.receive.take(0))).to.equal('GET');
  });

  it('opens nothing a second time, and says nothing about streams that it does not know', () => {
    const exit = peer('exit');
    const key = randomUUID();
    const stream = exit.receive(connect(key), 0, true)!;
    expect(exit.receive(connect(key), 1, true)).to.equal(stream);
    stream.accept(1);
    stream.send.end();
    stream.leave();
    plain(exit, 2);
    exit.settle(2);
    expect(exit.streams.size).to.equal(0);
    expect(exit.receive(connect(key), 3, true)).to.equal(undefined);
    exit.receive(data(key, 'late'), 4, true);
    expect(said(exit, 5)).to.deep.equal([]);
  });

  it('frees a stream that falls silent, sooner where its target has ended, and asks nobody', () => {
    const exit = peer('exit');
    const [silent, ended] = [randomUUID(), randomUUID()].map(
      (key) => exit.receive(connect(key), 0, true)!,
    );
    for (const stream of [silent!, ended!]) stream.accept(0);
    ended!.send.end();
    plain(exit, 1);
    exit.tick(29_000);
    expect([ended!.phase, said(exit, 29_000)]).to.deep.equal(['open', []]);
    exit.tick(31_000);
    expect([ended!.phase, silent!.phase]).to.deep.equal(['over', 'open']);
    exit.tick(121_000);
    expect(silent!.phase).to.equal('over');
    exit.settle(121_000);
    expect(exit.streams.size).to.equal(0);
  });

  it('takes no notice of plain data for a stream of the reliable kind', () => {
    const exit = peer('exit');
    const key = randomUUID();
    const stream = exit.receive({ ...connect(key), v: 1, window: 1_000 } as Message, 0, true)!;
    exit.receive(data(key, 'x'), 1, true);
    stream.accept(2);
    exit.receive(data(key, 'x'), 3, true);
    expect([stream.phase, stream.receive.bufferedBytes]).to.deep.equal(['open', 0]);
  });

  it('writes both words for data, the destination in between, and reads them back', () => {
    const key = randomUUID();
    const text = encodeMessage({ ...data(key, 'x'), destination: NAME } as Message);
    expect(text).to.equal(
      `{"type":"DATA","key":"${key}","data":"eA==","destination":"${NAME}","Type":"SOCKS5RESPONSE"}`,
    );
    expect(decodeMessages(text).messages).to.deep.equal([data(key, 'x')]);
  });
});
