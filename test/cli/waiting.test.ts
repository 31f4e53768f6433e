// The line that says what a command waits for: for people at a terminal, and nobody else.

import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import type { Io } from '../../src/cli/io.js';
import { waitingLine } from '../../src/cli/waiting.js';

/** Back to the start of the line, and erased. */
const CLEAR = '\r\u001b[K';

/** A terminal of a width, and what was written to it. */
function terminal(columns = 80, env: Record<string, string> = {}) {
  const stderr = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true, columns });
  const io = { stderr, env } as unknown as Io;
  return { io, written: () => String(stderr.read() ?? ''), stderr };
}

/** What stands in the last line of a terminal that obeys return and erase. */
function lastLine(written: string): string {
  return written.split('\n').at(-1)!.split(CLEAR).at(-1)!;
}

describe('the line for those who wait', () => {
  it('shows what is waited for, cut to the terminal, and goes again', async () => {
    const { io, written } = terminal(30);
    const waiting = waitingLine(io, {});
    const result = await waiting.during('a relay that is rather far away', async () => {
      expect(lastLine(written())).to.match(/^⠋ waiting for a relay that is$/);
      return 7;
    });
    expect(result).to.equal(7);
    expect(lastLine(written())).to.equal('');
  });

  it('goes also when what it waits for fails', async () => {
    const { io, written } = terminal();
    const act = () => Promise.reject(new Error('no'));
    const failure = await waitingLine(io, {})
      .during('it', act)
      .catch((error: Error) => error.message);
    expect(failure).to.equal('no');
    expect(written().endsWith(CLEAR)).to.equal(true);
  });

  it('lets a log write above it', () => {
    const { io, written } = terminal();
    const waiting = waitingLine(io, {});
    waiting.show('a relay');
    waiting.stderr.write('a line of the log\n');
    const screen = written();
    expect(screen).to.include(`${CLEAR}a line of the log\n`);
    expect(lastLine(screen)).to.equal('⠋ waiting for a relay …');
    waiting.clear();
    waiting.stderr.write('another\n');
    expect(written().endsWith(`${CLEAR}another\n`)).to.equal(true);
  });

  const quiet: readonly [
    what: string,
    isTTY: boolean,
    flags: object,
    env: Record<string, string>,
  ][] = [
    ['in a pipe', false, {}, {}],
    ['beside JSON', true, { json: true }, {}],
    ['on a terminal that knows no commands', true, {}, { TERM: 'dumb' }],
  ];
  for (const [what, isTTY, flags, env] of quiet) {
    it(`is nowhere ${what}`, async () => {
      const { io, written, stderr } = terminal(80, env);
      Object.assign(stderr, { isTTY });
      const waiting = waitingLine(io, { ...flags });
      waiting.show('it');
      await waiting.during('it', async () => undefined);
      waiting.clear();
      expect(written()).to.equal('');
      expect(waiting.stderr).to.equal(stderr);
    });
  }
});
