// The account of streams: one line each and the sums, whichever side it is and however they end.

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { pino } from 'pino';
import { type ErrorCode, NwsError } from '../../../src/errors.js';
import { Accounts } from '../../../src/tunnel/accounts/accounts.js';
import { SocketLike } from '../../../src/tunnel/duplex/socket-like.js';

const FACTS = { peer: 'a'.repeat(64), destination: 'x.nostr:443' };

/** A stream that counts, as those of a session do. */
class Counting extends SocketLike {
  override _read(): void {
    this.push(null);
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}

function stream(bytesRead = 0, bytesWritten = 0): Counting {
  const made = new Counting({ allowHalfOpen: true });
  Object.assign(
    made.on('error', () => undefined),
    { bytesRead, bytesWritten },
  );
  return made;
}

async function ended(of: Counting, error?: Error): Promise<void> {
  const closed = new Promise((resolve) => of.once('close', resolve));
  if (error === undefined) of.resume().end();
  else of.destroy(error);
  await closed;
}

describe('tunnel/accounts', () => {
  let lines: Record<string, unknown>[];

  function accounts(role: 'entry' | 'exit' = 'exit'): Accounts {
    lines = [];
    const write = (line: string): void => {
      const { level, ...fields } = JSON.parse(line) as Record<string, unknown>;
      expect(level).to.equal(pino.levels.values.info);
      lines.push(fields);
    };
    return new Accounts(role, pino({ base: null, timestamp: false }, { write }));
  }

  it('begins with nothing', () => {
    const zero = { opened: 0, open: 0, refused: {}, failed: {}, bytesUp: 0, bytesDown: 0 };
    expect(accounts().sums).to.deep.equal(zero);
  });

  it('writes one line for a stream when it ends, with what went which way', async () => {
    const ways = { exit: [10, 20], entry: [20, 10] } as const;
    for (const role of ['exit', 'entry'] as const) {
      const account = accounts(role);
      const made = stream(10, 20);
      account.opened({ ...FACTS, way: 'reverse' }, made);
      expect([lines, account.sums.open]).to.deep.equal([[], 1]);
      await ended(made);
      const { durationMs, ...line } = lines[0]!;
      const [bytesUp, bytesDown] = ways[role];
      const facts = { ...FACTS, way: 'reverse' };
      expect(line).to.deep.equal({ ...facts, bytesUp, bytesDown, msg: 'stream ended' });
      expect(durationMs).to.satisfy((ms: number) => Number.isInteger(ms) && ms >= 0);
      expect(lines).to.have.length(1);
      expect(account.sums).to.deep.include({ opened: 1, open: 0, bytesUp, bytesDown, failed: {} });
    }
  });

  it('says why a stream failed, in a word of ours', async () => {
    const account = accounts();
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    const failures: [Error, ErrorCode][] = [
      [new NwsError('http_request_denied', 'no'), 'http_request_denied'],
      [reset, 'connection_terminated'],
      [new NwsError('connection_terminated', 'gone'), 'connection_terminated'],
      [new Error('something else'), 'connection_terminated'],
      [new NwsError('proxy_internal_error', 'a mistake of ours'), 'proxy_internal_error'],
    ];
    for (const [error] of failures) {
      const made = stream(1, 2);
      account.opened(FACTS, made);
      await ended(made, error);
    }
    expect(lines.map(({ code }) => code)).to.deep.equal(failures.map(([, code]) => code));
    expect(lines[0]).to.include({ way: 'relay', bytesUp: 1, bytesDown: 2 });
    const failed = { http_request_denied: 1, connection_terminated: 3, proxy_internal_error: 1 };
    const sums = { opened: 5, open: 0, refused: {}, failed, bytesUp: 5, bytesDown: 10 };
    expect(account.sums).to.deep.equal(sums);
  });

  it('takes a stream that this side breaks off without a word for a failure, and one that it has ended for none', async () => {
    const account = accounts();
    for (const hasEnded of [false, true]) {
      const made = stream();
      account.opened(FACTS, made);
      if (hasEnded) made.end();
      made.destroy();
      await once(made, 'close');
    }
    expect(lines.map(({ code }) => code)).to.deep.equal(['connection_terminated', undefined]);
    expect(account.sums.failed).to.deep.equal({ connection_terminated: 1 });
  });

  it('counts what is refused by its reason, and tells the operator more than the client', () => {
    const account = accounts();
    const cause = new Error('a rule denies 10.0.0.1');
    account.refused(FACTS, new NwsError('destination_ip_prohibited', 'not served here', { cause }));
    account.refused(FACTS, new NwsError('destination_ip_prohibited', 'not served here'));
    account.refused(FACTS, new NwsError('connection_limit_reached', 'too many', { cause: 'text' }));
    const line = { ...FACTS, way: 'relay', code: 'destination_ip_prohibited' };
    const msg = 'stream refused: not served here';
    expect(lines[0]).to.deep.equal({ ...line, reason: cause.message, msg });
    expect(lines[1]).to.deep.equal({ ...line, msg });
    const refused = { destination_ip_prohibited: 2, connection_limit_reached: 1 };
    expect(account.sums).to.deep.include({ opened: 0, open: 0, refused, failed: {} });
  });

  it('counts a stream that is closed already', async () => {
    const account = accounts();
    const made = stream(3, 4);
    await ended(made, new NwsError('connection_terminated', 'gone'));
    account.opened(FACTS, made);
    expect(account.sums).to.deep.include({ opened: 1, open: 0, bytesUp: 3, bytesDown: 4 });
    expect(lines).to.have.length(1);
  });

  it('keeps streams that are open apart', async () => {
    const account = accounts();
    const [first, second] = [stream(1, 1), stream(2, 2)];
    for (const made of [first, second]) account.opened(FACTS, made);
    await ended(second);
    expect(account.sums).to.include({ opened: 2, open: 1, bytesUp: 2 });
    await ended(first);
    expect(account.sums).to.include({ opened: 2, open: 0, bytesUp: 3 });
  });

  it('shows a beginning of a destination that is far too long', () => {
    const account = accounts();
    const destination = 'x'.repeat(1_024);
    account.refused({ ...FACTS, destination }, new NwsError('dns_error', 'no such name'));
    expect(lines[0]!.destination).to.equal('x'.repeat(256));
  });

  it('takes a stream that counts nothing for one without bytes', async () => {
    const account = accounts();
    const made = new PassThrough();
    account.opened(FACTS, made);
    made.resume().end('bytes');
    await once(made, 'close');
    expect(account.sums).to.include({ open: 0, bytesUp: 0, bytesDown: 0 });
  });

  it('hands out sums that stay as they are', () => {
    const account = accounts();
    const before = account.sums;
    account.refused(FACTS, new NwsError('dns_error', 'no such name'));
    expect(before.refused).to.deep.equal({});
  });
});
