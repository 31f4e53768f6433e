// An entry of ours and exits that know NIP-443 alone: how they are found out, what they are sent, and when such a
// stream ends.

import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { EARLY_DATA_BYTES } from '../../../src/limits.js';
import type { Message } from '../../../src/protocol/wire/message.js';
import { data, MAX, NAME, peer, plain, said, textOf } from './plain-peers.js';

describe('protocol: an entry and an exit of NIP-443', () => {
  it('asks once, alone in its event and by the bare name, and then only whether somebody is there', () => {
    const entry = peer('entry');
    entry.open(`${NAME}:443`, 0);
    entry.probe(0);
    const [question, ...rest] = said(entry, 0);
    expect(question).to.deep.include({ type: 'CONNECT', destination: NAME, v: 2 });
    expect(rest).to.deep.equal([]);
    const later = [400, 1_000, 1_900, 2_900].flatMap((now) => said(entry, now));
    expect(new Set(later.map(({ type }) => type))).to.deep.equal(new Set(['PING']));
  });

  it('asks again where no relay took the question', () => {
    const entry = peer('entry');
    entry.open(`${NAME}:443`, 0);
    entry.lost(entry.pull(0, 40_000), 5);
    expect(said(entry, 5)[0]).to.deep.include({ type: 'CONNECT', destination: NAME });
    expect(said(entry, 1_100).map(({ type }) => type)).to.deep.equal(['PING']);
  });

  it('lets go of nothing while an exit of which nothing is known may still answer', () => {
    const entry = peer('entry');
    const { key, send } = entry.open(`${NAME}:443`, 0);
    said(entry, 0);
    send.write(Buffer.from('hello'));
    for (const now of [3_000, 6_000, 9_000]) {
      entry.tick(now);
      plain(entry, now);
    }
    entry.receive({ type: 'PONG', key }, 9_500, true);
    const messages = said(entry, 9_500).filter(({ type }) => type !== 'PING');
    expect(messages.map(({ type }) => type)).to.deep.equal(['CONNECT', 'DATA']);
    expect(messages[1]).to.deep.include({ offset: 0, data: Buffer.from('hello') });
  });

  it('lets go of what can not wait, and then the stream can not be saved', () => {
    const entry = peer('entry');
    const stream = entry.open(`${NAME}:443`, 0);
    said(entry, 0);
    stream.send.write(Buffer.alloc(EARLY_DATA_BYTES + 1));
    for (const now of [3_000, 6_000]) {
      entry.tick(now);
      plain(entry, now);
    }
    expect(stream.send.inFlightBytes + stream.send.queuedBytes).to.equal(0);
    entry.receive({ type: 'PONG', key: stream.key }, 7_000, true);
    expect(stream.error?.code).to.equal('connection_terminated');
  });

  it('repeats the question as soon as a PONG shows that the exit speaks reliable streams', () => {
    const entry = peer('entry');
    const { key } = entry.open(`${NAME}:443`, 0);
    said(entry, 0);
    entry.receive({ type: 'PONG', key }, 500, true);
    expect(said(entry, 500)[0]).to.deep.include({ type: 'CONNECT', destination: `${NAME}:443` });
  });

  it('sends the first bytes in the plain way after three seconds of silence, and goes on when it is heard', () => {
    const entry = peer('entry');
    const stream = entry.open(`${NAME}:443`, 0);
    said(entry, 0);
    stream.send.write(Buffer.from('hello'));
    entry.tick(2_999);
    expect(plain(entry, 2_999)).to.deep.equal([]);
    entry.tick(3_000);
    expect(plain(entry, 3_000)).to.deep.equal([
      { ...data(stream.key, 'hello'), destination: NAME },
    ]);
    entry.receive(data(stream.key, 'world'), 3_100, true);
    expect(stream.phase).to.equal('open');
    expect(String(stream.receive.take(3_100))).to.equal('world');
    expect(entry.kind).to.equal('plain');
    stream.send.write(Buffer.from('again'));
    expect(textOf(plain(entry, 3_200))).to.equal('again');
  });

  it('waits no longer than a moment where the exit published that it knows NIP-443 alone', () => {
    const entry = peer('entry');
    const stream = entry.open(`${NAME}:443`, 0);
    said(entry, 0);
    stream.send.write(Buffer.from('hello'));
    entry.suggest(false, 100);
    entry.tick(350);
    expect(textOf(plain(entry, 350))).to.equal('hello');
  });

  it('opens without waiting from then on, and asks before it says anything', () => {
    const entry = peer('entry');
    entry.suggest(false, 0);
    const stream = entry.open(`${NAME}:443`, 0);
    stream.send.write(Buffer.from('hello'));
    expect(said(entry, 0)).to.deep.equal([]);
    const [question, first] = plain(entry, 0);
    expect(question).to.deep.include({ type: 'CONNECT', key: stream.key, destination: NAME });
    expect(textOf([first!])).to.equal('hello');
  });

  it('says it all again in the reliable way where the exit turns out to have been replaced', () => {
    const entry = peer('entry');
    entry.suggest(false, 0);
    const { key, send } = entry.open(`${NAME}:443`, 0);
    send.write(Buffer.from('hello'));
    plain(entry, 0);
    entry.receive({ type: 'OPEN', key, v: 2, window: 65_536 }, 200, true);
    expect(entry.kind).to.equal('reliable');
    const [message] = said(entry, 200);
    expect(message).to.deep.include({ type: 'DATA', offset: 0, data: Buffer.from('hello') });
    expect(plain(entry, 200)).to.deep.equal([]);
  });

  it('keeps no more than the early data in reserve for that, and none once it is settled', () => {
    const entry = peer('entry');
    entry.receive(data(randomUUID(), 'heard before'), 0, true);
    const { send } = entry.open(`${NAME}:443`, 0);
    send.write(Buffer.alloc(200_000));
    const bytes = (messages: Message[]): number =>
      messages.reduce((sum, m) => sum + (m.type === 'PLAIN' ? m.data.length : 0), 0);
    expect(bytes(plain(entry, 0))).to.equal(EARLY_DATA_BYTES);
    entry.tick(1_500);
    expect(bytes(plain(entry, 1_500))).to.equal(200_000 - EARLY_DATA_BYTES);
    expect(send.inFlightBytes).to.equal(0);
  });

  it('comes to the plain way from the reliable one, with early data, in messages that the other can not read', () => {
    const entry = peer('entry');
    entry.suggest(true, 0);
    const stream = entry.open(`${NAME}:443`, 0);
    stream.send.write(Buffer.from('hello'));
    expect(said(entry, 0).map(({ type }) => type)).to.deep.equal(['CONNECT', 'DATA']);
    entry.tick(3_000);
    const [question, first] = plain(entry, 3_000);
    expect(question).to.deep.include({ type: 'CONNECT', destination: NAME });
    expect(textOf([first!])).to.equal('hello');
  });

  it('gives up on an exit that was never heard of, and has patience with one that was', () => {
    const absent = peer('entry');
    absent.suggest(false, 0);
    const given = absent.open(`${NAME}:443`, 0);
    absent.tick(2_000);
    absent.tick(10_000);
    expect(given.error?.code).to.equal('exit_unreachable');
    const slow = peer('entry');
    slow.receive(data(randomUUID(), 'heard before'), 0, true);
    const patient = slow.open(`${NAME}:443`, 1);
    slow.tick(2_000);
    slow.tick(100_000);
    expect(patient.phase).to.equal('open');
  });

  it('repeats what every relay refused, the same piece, and gives up in the end', () => {
    const entry = peer('entry');
    entry.receive(data(randomUUID(), 'heard before'), 0, true);
    const stream = entry.open(`${NAME}:443`, 0);
    plain(entry, 0);
    stream.send.write(Buffer.from('hello'));
    const first = entry.pullPlain(1, MAX)!;
    entry.plainDone(first, false, 1);
    expect(entry.pullPlain(50, MAX)).to.equal(undefined);
    const second = entry.pullPlain(150, MAX)!;
    expect(second.outgoing.segment).to.equal(first.outgoing.segment);
    entry.plainDone(second, false, 150);
    entry.tick(2_000);
    entry.tick(10_002);
    expect(stream.error?.code).to.equal('relay_refused');
  });

  it('is over when both have nothing more to say, or after silence', () => {
    const entry = peer('entry');
    entry.suggest(false, 0);
    const [left, silent] = [entry.open(NAME, 0), entry.open(NAME, 0)];
    plain(entry, 0);
    for (const { key } of [left, silent]) entry.receive(data(key, 'x'), 1, true);
    left.send.end();
    left.leave();
    plain(entry, 2);
    entry.settle(2);
    expect([left.phase, left.error]).to.deep.equal(['over', undefined]);
    entry.tick(120_000);
    expect(silent.phase).to.equal('open');
    entry.tick(120_001);
    expect(silent.error?.code).to.equal('connection_read_timeout');
    expect(said(entry, 120_001), 'a RESET, which it would not understand').to.deep.equal([]);
  });

  it('ends a stream whose peer sends more than there is room for', () => {
    const entry = peer('entry', () => false);
    entry.suggest(false, 0);
    const stream = entry.open(NAME, 0);
    entry.receive(data(stream.key, 'x'), 1, true);
    expect(stream.error?.code).to.equal('connection_terminated');
  });
});
