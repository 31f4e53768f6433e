// Which first words of a client may be said twice.

import { expect } from 'chai';
import { firstRequest } from '../../../src/proxy/advance/first-request.js';

describe('proxy: the first request', () => {
  describe('by HTTP/1.1', () => {
    const cases: [string, string][] = [
      ['', 'early'],
      ['GE', 'early'],
      ['OPTIONS', 'early'],
      ['GET ', 'safe'],
      ['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'safe'],
      ['HEAD / HTTP/1.1\r\n', 'safe'],
      ['GET / HTTP/1.1\r\n\r\nbody', 'other'],
      ['GET / HTTP/1.1\r\n\r\nPOST / HTTP/1.1\r\n\r\n', 'other'],
      ['P', 'other'],
      ['POST / HTTP/1.1\r\n', 'other'],
      ['get / HTTP/1.1\r\n', 'other'],
      ['\r\n', 'other'],
    ];
    for (const [said, is] of cases) {
      it(`${JSON.stringify(said)} is ${is}`, () => {
        expect(firstRequest('http/1.1', Buffer.from(said))).to.equal(is);
      });
    }
  });

  describe('by HTTP/2', () => {
    const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const frame = (type: number, flags = 0, payload: number[] = []): Buffer =>
      Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, 1, ...payload]);
    const settings = frame(4, 0, [0, 3, 0, 0, 0, 100]);
    const [get, post] = [frame(1, 5, [0x82, 0x87]), frame(1, 5, [0x83, 0x87])];
    const cases: [string, Buffer[], string][] = [
      ['nothing', [], 'early'],
      ['a part of the preface', [preface.subarray(0, 10)], 'early'],
      ['the greeting', [preface, settings, frame(8, 0, [0, 0, 1, 0])], 'early'],
      ['a part of a frame', [preface, settings, get.subarray(0, 5)], 'early'],
      ['the head of a frame', [preface, settings, get.subarray(0, 9)], 'early'],
      ['a GET', [preface, settings, get], 'safe'],
      ['two of them', [preface, settings, get, get], 'safe'],
      ['a GET with a priority', [preface, frame(1, 0x25, [0, 0, 0, 0, 9, 0x82])], 'safe'],
      ['a GET and an acknowledgement', [preface, settings, get, frame(4, 1)], 'safe'],
      ['a POST', [preface, settings, post], 'other'],
      ['a POST behind a GET', [preface, settings, get, post], 'other'],
      ['a GET with a body', [preface, settings, frame(1, 4, [0x82])], 'other'],
      ['a padded GET', [preface, settings, frame(1, 0xd, [1, 0x82, 0])], 'other'],
      ['a body', [preface, settings, frame(0, 1, [1])], 'other'],
      ['something else', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'other'],
    ];
    for (const [what, said, is] of cases) {
      it(`${what} is ${is}`, () => {
        expect(firstRequest('h2', Buffer.concat(said))).to.equal(is);
      });
    }
  });
});
