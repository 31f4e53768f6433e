// The events of NIP-443: what they carry, and how tags of strangers are read.

import { expect } from 'chai';
import fc from 'fast-check';
import {
  announcementEvent,
  certificateEvent,
  isExpired,
  messageEvent,
  relaysOfList,
  speaksReliableStreams,
  streamVersion,
  tagValue,
} from '../../../src/protocol/wire/events.js';

const PEER = 'ab'.repeat(32);

describe('protocol/events building', () => {
  it('addresses a message to its peer and to nobody else', () => {
    expect(messageEvent(PEER, 'sealed', 17)).to.deep.equal({
      kind: 28333,
      created_at: 17,
      tags: [['p', PEER]],
      content: 'sealed',
    });
  });

  it('publishes a certificate with its fingerprint and the sign of reliable streams', () => {
    const event = certificateEvent('-----BEGIN…', PEER, 'ff'.repeat(32), 17);
    expect(event).to.include({ kind: 38334, created_at: 17, content: '-----BEGIN…' });
    expect(event.tags).to.have.deep.members([
      ['p', PEER],
      ['d', ''],
      ['nws', '2'],
      ['x', 'ff'.repeat(32)],
    ]);
    expect(speaksReliableStreams(event)).to.equal(true);
    expect(streamVersion(event)).to.equal(2);
  });

  it('announces an exit until a time', () => {
    const event = announcementEvent(100, 110);
    expect(event).to.include({ kind: 38333, created_at: 100, content: '' });
    expect(tagValue(event, 'd')).to.equal('');
    expect(speaksReliableStreams(event)).to.equal(true);
    expect(isExpired(event, 109)).to.equal(false);
    expect(isExpired(event, 110)).to.equal(true);
  });
});

describe('protocol/events reading', () => {
  const tagged = (...tags: string[][]): { tags: string[][] } => ({ tags });

  it('finds the first tag of a name', () => {
    const event = tagged([], ['x'], ['p', 'one'], ['p', 'two']);
    expect(tagValue(event, 'p')).to.equal('one');
    expect(tagValue(event, 'x')).to.equal(undefined);
    expect(tagValue(event, 'q')).to.equal(undefined);
  });

  it('takes later versions for reliable streams too, and nothing but numbers', () => {
    for (const version of ['1', '2', '10']) {
      expect(speaksReliableStreams(tagged(['nws', version])), version).to.equal(true);
    }
    for (const version of ['0', '', '-1', '1.5', 'yes', ' 1', '9'.repeat(99)]) {
      expect(speaksReliableStreams(tagged(['nws', version])), version).to.equal(false);
    }
    expect(speaksReliableStreams(tagged(['nws']))).to.equal(false);
    expect(speaksReliableStreams(tagged())).to.equal(false);
  });

  it('never expires without a readable expiration', () => {
    for (const tags of [[], [['expiration']], [['expiration', 'soon']]]) {
      expect(isExpired({ tags }, Number.MAX_SAFE_INTEGER)).to.equal(false);
    }
  });

  it('takes from a relay list what its author reads, canonical and each once', () => {
    const list = tagged(
      ['r', 'wss://Both.example/'],
      ['r', 'wss://read.example', 'read'],
      ['r', 'wss://write.example', 'write'],
      ['r', 'wss://both.example'],
      ['r', 'not a relay'],
      ['r'],
      ['p', 'wss://other.example'],
    );
    expect(relaysOfList(list)).to.deep.equal(['wss://both.example', 'wss://read.example']);
  });

  it('takes at most eight relays from a list', () => {
    const many = Array.from({ length: 100 }, (_, i) => ['r', `ws://relay${i}.example`]);
    expect(relaysOfList(tagged(...many))).to.have.length(8);
  });

  it('reads any tags without throwing', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.oneof(fc.string(), fc.constant('r')))), (tags) => {
        expect(relaysOfList({ tags }).length).to.be.at.most(8);
        expect(isExpired({ tags }, 0)).to.equal(false);
        expect(speaksReliableStreams({ tags })).to.equal(false);
      }),
    );
  });
});
