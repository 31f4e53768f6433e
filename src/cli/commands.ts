// All commands, in the order of the help page. What each one loads is loaded when it is asked for: a program that
// starts for one command shouldn't wait for ten.

import type { Command } from './command.js';

export const COMMANDS: readonly Command[] = [
  {
    usage: 'proxy',
    describe: 'Start the proxy that reaches .nostr names',
    load: async (io) => (await import('./commands/proxy.js')).proxyCommand(io),
  },
  {
    usage: 'exit',
    describe: 'Make a web server or TCP service reachable under a .nostr name',
    load: async (io) => (await import('./commands/exit.js')).exitCommand(io),
  },
  {
    usage: 'run',
    describe: 'Run a command behind a proxy of its own, with everything set for curl, git, npm …',
    load: async (io) => (await import('./commands/run.js')).runCommand(io),
  },
  {
    usage: 'demo',
    describe: 'Show the whole way on this machine: relay, exit, proxy and a verified fetch',
    load: async (io) => (await import('./commands/demo.js')).demoCommand(io),
  },
  {
    usage: 'relay',
    describe: 'Start a small relay in memory, for development and CI',
    load: async (io) => (await import('./commands/relay.js')).relayCommand(io),
  },
  {
    usage: 'resolve <host>',
    describe: 'Show what a name means: its key, its relays, and where these come from',
    load: async (io) => (await import('./commands/names/resolve.js')).resolveCommand(io),
  },
  {
    usage: 'name',
    describe: 'Print the .nostr name and nprofile for a public key',
    load: async (io) => (await import('./commands/names/name.js')).nameCommand(io),
  },
  {
    usage: 'alias [action] [name] [host]',
    describe: 'Keep short names for exits: add, list, remove',
    load: async (io) => (await import('./commands/names/alias.js')).aliasCommand(io),
  },
  {
    usage: 'cert <host>',
    describe: "Fetch and check an exit's certificate event",
    load: async (io) => (await import('./commands/cert.js')).certCommand(io),
  },
  {
    usage: 'ca',
    describe: 'Show the local CA and how to trust it; it can vouch for .nostr names alone',
    load: async (io) => (await import('./commands/ca.js')).caCommand(io),
  },
  {
    usage: 'discover',
    describe: 'List the public exits that announce themselves now',
    load: async (io) => (await import('./commands/discover.js')).discoverCommand(io),
  },
  {
    usage: 'doctor [host]',
    describe: 'Check settings, clock, relays and the way to a host, a line each',
    load: async (io) => (await import('./commands/doctor.js')).doctorCommand(io),
  },
  {
    usage: 'keygen',
    describe: 'Write a new exit key to a file, and print its public half',
    load: async (io) => (await import('./commands/keygen.js')).keygenCommand(io),
  },
  {
    usage: 'completion [shell]',
    describe: 'Print completions for bash, zsh or fish',
    load: async (io) => (await import('./commands/completion.js')).completionCommand(io, COMMANDS),
  },
];
