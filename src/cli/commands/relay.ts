// `nws relay`: the relay in memory, until a signal ends it.

import { relayConfig } from '../../config/config.js';
import { MemoryRelay } from '../../relay/embedded/memory-relay.js';
import type { CommandBody } from '../command.js';
import { examples, options } from '../help.js';
import { type Io, openLog, print, sourcesOf } from '../io.js';
import { serve } from '../serve.js';

export const relayCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('listen', 'behave', 'delay', 'loss', 'duplicate', 'reorder', 'replay'))
      .options(options('max-event-bytes', 'disconnect-every', 'seed'))
      .options(options('byte-rate', 'event-rate', 'over-rate'))
      .option('stun', {
        type: 'boolean',
        describe: 'Answer STUN on the UDP port of that number, on every address',
      })
      .options(options('log-level', 'log-format', 'json'))
      .epilogue(
        examples(
          ['on ws://127.0.0.1:7777', 'nws relay'],
          ['a free port, told as JSON', 'nws relay --listen 127.0.0.1:0 --json'],
          ['the habits of a busy strfry, and some loss', 'nws relay --behave strfry --loss 0.01'],
          ['with STUN beside it, for direct paths', 'nws relay --stun'],
          ['4 MB a second of each client', 'nws relay --byte-rate 4000000'],
        ),
      ),
  handler: async (flags) => {
    const config = relayConfig(await sourcesOf(io, flags));
    const log = openLog(io, config);
    const { listen, behaviour, seed, stun } = config;
    const start = () =>
      MemoryRelay.start({ ...listen, log, behaviour, stun, ...(seed !== undefined && { seed }) });
    await serve(
      io,
      start,
      ({ url }) => {
        const line = `nws relay ready on ${url} — in memory: what it holds is gone when it ends`;
        print(io, flags, { event: 'ready', url }, line);
      },
      { log },
    );
  },
});
