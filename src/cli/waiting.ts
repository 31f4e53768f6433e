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
  /** Shows it for as long as that takes, and no longer, whatever comes of it. */
  during<T>(text: string, act: () => Promise<T>): Promise<T>;
  /** The terminal for a log: what is written to it doesn't run into the line. */
  readonly stderr: LogStream;
}

export function waitingLine(io: Io, flags: Flags): Waiting {
  const { stderr, env } = io;
  if (stderr.isTTY !== true || flags.json === true || env.TERM === 'dumb') {
    return { show: () => undefined, clear: () => undefined, during: (_text, act) => act(), stderr };
  }
  let text = '';
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    const line = `${FRAMES[frame % FRAMES.length]} waiting for ${text} …`;
    stderr.write(`${CLEAR}${line.slice(0, (stderr.columns || 80) - 1)}`);
  };
  const self: Waiting = {
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
    async during(next, act) {
      self.show(next);
      try {
        return await act();
      } finally {
        self.clear();
      }
    },
    stderr: {
      isTTY: true,
      write(line) {
        stderr.write(timer === undefined ? line : `${CLEAR}${line}`);
        if (timer !== undefined) draw();
      },
    },
  };
  return self;
}
