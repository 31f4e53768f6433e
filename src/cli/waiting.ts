// What a command waits for, in one line of the terminal that goes again. Only for people: never in a pipe, never
// beside JSON. Results and the log are written by others, who clear the line first.

import type { LogStream } from '../log.js';
import type { Flags, Io } from './io.js';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
/** Back to the start of the line, and all of it gone. */
const CLEAR = '\r\u001b[K';

export interface Waiting {
  /** Says what it waits for now, instead of what was there. */
  show(text: string): void;
  /** Takes the line away. */
  clear(): void;
  /** The terminal for a log: what is written to it doesn't run into the line. */
  readonly stderr: LogStream;
}

export function waitingLine(io: Io, flags: Flags): Waiting {
  const { stderr, env } = io;
  if (stderr.isTTY !== true || flags.json === true || env.TERM === 'dumb') {
    return { show: () => undefined, clear: () => undefined, stderr };
  }
  let text = '';
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    const columns = stderr.columns ?? 80;
    const line = `${FRAMES[frame % FRAMES.length]} ${text}`.slice(0, columns - 1);
    stderr.write(`${CLEAR}${line}`);
  };
  return {
    show(next) {
      text = next;
      draw();
      timer ??= setInterval(() => {
        frame += 1;
        draw();
      }, FRAME_MS).unref();
    },
    clear() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      stderr.write(CLEAR);
    },
    stderr: {
      isTTY: true,
      write(line) {
        stderr.write(timer === undefined ? line : `${CLEAR}${line}`);
        if (timer !== undefined) draw();
      },
    },
  };
}
