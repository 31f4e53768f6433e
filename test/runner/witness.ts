// A thread that tells where the main thread is, also while that one is busy for ever: it asks through the debugger.
// The runner asks by a byte on a pipe, since signals and messages would wait for the very loop that hangs.

import { Worker } from 'node:worker_threads';

/** File descriptor of a worker process on which the runner asks; the answer goes to stderr. */
export const ASK_FD = 3;

/**
 * Nothing of ours is loaded in the thread, so it costs next to nothing. It reads by a socket: reading as from a file would
 * hold back the end of the process, which waits for that.
 */
const PROGRAM = `
  const { writeSync } = require('node:fs');
  const { Session } = require('node:inspector');
  const { SourceMap } = require('node:module');
  const { Socket } = require('node:net');
  const scripts = new Map();
  const place = ({ scriptId, lineNumber, columnNumber }) => {
    const { url = '', sourceMapURL = '' } = scripts.get(scriptId) ?? {};
    const [, base64] = /^data:.*;base64,(.*)$/.exec(sourceMapURL) ?? [];
    if (base64 === undefined) return url + ':' + (lineNumber + 1);
    const map = new SourceMap(JSON.parse(Buffer.from(base64, 'base64').toString()));
    const { originalLine = lineNumber } = map.findEntry(lineNumber, columnNumber);
    return url + ':' + (originalLine + 1);
  };
  const session = new Session();
  session.connectToMainThread();
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params));
  session.on('Debugger.paused', ({ params }) => {
    const lines = params.callFrames.slice(0, 20).map(({ functionName, location }) =>
      '    at ' + (functionName || '<anonymous>') + ' (' + place(location) + ')');
    writeSync(2, 'busy here:\\n' + lines.join('\\n') + '\\n');
    session.post('Debugger.resume');
  });
  new Socket({ fd: ${ASK_FD} }).on('data', () => {
    session.post('Debugger.enable');
    session.post('Debugger.pause');
  });
`;

/** Starts the thread, once a process. */
export function startWitness(): void {
  new Worker(PROGRAM, { eval: true }).unref();
}
