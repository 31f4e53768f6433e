// Putting the local CA into every trust store of this machine, and taking it out: shown first, asked, then done.

import { createInterface } from 'node:readline/promises';
import { badSetting } from '../../config/env.js';
import { NwsError } from '../../errors.js';
import { type Flags, type Io, print } from '../io.js';
import { type Machine, thisMachine } from './machine.js';
import { shellLine, type TrustedCa, type TrustStore } from './store.js';
import { systemStores } from './stores/anchors.js';
import { javaStores } from './stores/java.js';
import { keychainStores } from './stores/macos.js';
import { nssStores } from './stores/nss.js';

export type Direction = 'install' | 'uninstall';

interface Task {
  readonly store: TrustStore;
  readonly isTrusting: boolean;
  /** There is something to do, and it can be done. */
  readonly isDue: boolean;
}

/** All of them, in the order in which they are shown. */
export async function findStores(ca: TrustedCa, machine: Machine): Promise<TrustStore[]> {
  const kinds = [systemStores, keychainStores, nssStores, javaStores];
  return (await Promise.all(kinds.map((find) => find(ca, machine)))).flat();
}

/**
 * Changes the stores, or shows with `--print` how; asks before it does, unless `--yes`.
 * @throws NwsError `bad_config` where it can't ask, or where a store can't be changed
 */
export async function changeTrust(
  io: Io,
  flags: Flags,
  direction: Direction,
  ca: TrustedCa,
  machine: Machine = thisMachine(io),
): Promise<void> {
  const tasks: Task[] = [];
  for (const store of await findStores(ca, machine)) {
    const isTrusting = await store.isTrusting();
    const isDue = store.missing === undefined && isTrusting === (direction === 'uninstall');
    tasks.push({ store, isTrusting, isDue });
  }
  const due = tasks.filter(({ isDue }) => isDue).map(({ store }) => store);
  if (flags.print === true || due.length === 0) {
    return print(io, flags, describe(tasks, direction), shown(tasks, direction));
  }
  io.stderr.write(`${shown(tasks, direction)}\n\n`);
  if (flags.yes !== true && !(await agrees(io))) {
    throw new NwsError('bad_config', 'nothing was changed', { hint: 'answer y, or add --yes' });
  }
  for (const store of due) await change(machine, store, direction);
  const after = await Promise.all(
    tasks.map(async ({ store }) => ({ store, isTrusting: await store.isTrusting(), isDue: false })),
  );
  print(io, flags, describe(after, direction), done(after, due));
}

async function agrees(io: Io): Promise<boolean> {
  if (io.stdin.isTTY !== true) {
    const hint = 'add --yes to do it, or --print to see it only';
    throw badSetting('this changes what programs trust, and there is no terminal to ask', hint);
  }
  const asking = createInterface({ input: io.stdin, output: io.stderr });
  // Ctrl-C and Ctrl-D are an answer, too.
  const left = new Promise<string>((resolve) => asking.once('close', () => resolve('')));
  asking.once('SIGINT', () => asking.close());
  try {
    const answer = await Promise.race([asking.question('Do this? [y/N] '), left]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}

async function change(machine: Machine, store: TrustStore, direction: Direction): Promise<void> {
  for (const command of store[direction]) {
    const status = await machine.run(command);
    if (status === 0) continue;
    const message = `${store.name} could not be changed: ${command[0]} gave ${status}`;
    throw new NwsError('bad_config', message, { hint: `try it: ${shellLine(command)}` });
  }
  if (store[direction].length === 0) return; // it follows another one
  if ((await store.isTrusting()) === (direction === 'install')) return;
  throw new NwsError('bad_config', `${store.name} is as it was, whatever its tool says`, {
    hint: `see ${store[direction].map(shellLine).join(' && ')}`,
  });
}

function describe(tasks: readonly Task[], direction: Direction) {
  const stores = tasks.map(({ store, isTrusting, isDue }) => ({
    store: store.name,
    usedBy: store.usedBy,
    trusted: isTrusting,
    ...(store.missing && { missing: store.missing }),
    commands: isDue ? store[direction] : [],
  }));
  return { stores };
}

function shown(tasks: readonly Task[], direction: Direction): string {
  if (tasks.length === 0)
    return 'no trust store was found on this machine; nws ca tells the ways of each tool';
  const lines = tasks.map(({ store, isTrusting, isDue }) => {
    const head = `${store.name}, for ${store.usedBy}`;
    if (store.missing !== undefined) return `${head}\n  needs ${store.missing}`;
    if (!isDue) return `${head}\n  ${isTrusting ? 'trusts it already' : "doesn't have it"}`;
    return [head, ...store[direction].map((command) => `  $ ${shellLine(command)}`)].join('\n');
  });
  return lines.join('\n');
}

function done(after: readonly Task[], changed: readonly TrustStore[]): string {
  const lines = after
    .filter(({ store }) => changed.includes(store))
    .map(
      ({ store, isTrusting }) => `${store.name} ${isTrusting ? 'trusts it' : 'has it no longer'}`,
    );
  return [...lines, 'Programs that are running notice when they start anew.'].join('\n');
}
