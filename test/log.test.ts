// The log: its formats, and what must never be in it.

import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { NwsError } from '../src/errors.js';
import { createLog, type LogOptions } from '../src/log.js';

function logged(
  options: Partial<LogOptions>,
  write: (log: ReturnType<typeof createLog>) => void,
): string {
  const stream = new PassThrough();
  write(createLog({ level: 'info', stream, ...options }));
  return String(stream.read() ?? '');
}

describe('log', () => {
  it('writes JSON where nobody watches', () => {
    const line = logged({}, (log) => log.info({ relay: 'ws://a.example' }, 'up'));
    expect(JSON.parse(line)).to.include({ level: 30, relay: 'ws://a.example', msg: 'up' });
  });

  it('writes for people when asked, at once', () => {
    const line = logged({ format: 'pretty' }, (log) => log.info('up'));
    expect(line).to.match(/INFO.*up\n$/);
  });

  it('writes for people on a terminal, unless JSON is asked for', () => {
    const terminal = () => Object.assign(new PassThrough(), { isTTY: true });
    const pretty = terminal();
    createLog({ level: 'info', stream: pretty }).info('up');
    expect(String(pretty.read())).to.include('up').and.not.include('{');
    const json = terminal();
    createLog({ level: 'info', format: 'json', stream: json }).info('up');
    expect(JSON.parse(String(json.read()))).to.include({ msg: 'up' });
  });

  it('keeps to its level', () => {
    expect(logged({ level: 'silent' }, (log) => log.fatal('gone'))).to.equal('');
    expect(logged({ level: 'warn' }, (log) => log.info('up'))).to.equal('');
  });

  it('redacts key material, also one level down', () => {
    const secret = '11'.repeat(32);
    const line = logged({}, (log) =>
      log.info({ key: secret, secretKey: secret, options: { privateKey: secret, secret } }, 'x'),
    );
    expect(line).to.include('[redacted]').and.not.include(secret);
  });

  it('tells code, message and hint of our errors, and the stack of others', () => {
    const ours = new NwsError('no_relay', 'no relay is known', { hint: 'name one' });
    const { err } = JSON.parse(logged({}, (log) => log.error({ err: ours }, 'x')));
    expect(err).to.deep.equal({ code: 'no_relay', message: 'no relay is known', hint: 'name one' });
    const bug = JSON.parse(logged({}, (log) => log.error({ err: new TypeError('oops') }, 'x')));
    expect(bug.err.stack).to.include('log.test');
  });
});
