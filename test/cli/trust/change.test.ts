// `nws ca --install` and `--uninstall`: what is shown, asked and done, on a machine that only notes it.

import { EventEmitter } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import type { Io } from '../../../src/cli/io.js';
import { changeTrust, type Direction } from '../../../src/cli/trust/change.js';
import type { Command } from '../../../src/cli/trust/machine.js';
import { NwsError } from '../../../src/errors.js';
import { run, useTempFolder } from '../harness.js';
import { CA, type FakeMachine, fakeMachine } from './fake-machine.js';

/** A machine with a database of NSS that certutil of its own changes. */
function nssMachine(): FakeMachine {
  const paths = ['/usr/bin/certutil', '/home/me/.pki/nssdb/cert9.db'];
  let isIn = false;
  const machine = fakeMachine(paths, {
    asks: async () => isIn,
    run: async (command: Command) => {
      machine.ran.push(command[1]!);
      isIn = command[1] === '-A';
      return 0;
    },
  });
  return machine;
}

interface Asked {
  readonly flags?: Record<string, unknown>;
  readonly stdin?: Readable & { isTTY?: boolean };
}

async function change(
  machine: FakeMachine,
  direction: Direction,
  { flags = {}, stdin }: Asked = {},
) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const io = { stdin: stdin ?? new PassThrough(), stdout, stderr, signals: new EventEmitter() };
  const failure = await changeTrust(io as unknown as Io, flags, direction, CA, machine).then(
    () => undefined,
    (error: unknown) => error,
  );
  const [said, told] = await Promise.all([text(stdout.end()), text(stderr.end())]);
  if (failure !== undefined && !(failure instanceof NwsError)) throw failure;
  return { stdout: said, stderr: told, failure };
}

/** A terminal at which somebody types this. */
function terminal(typed: string) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  stdin.end(typed);
  return stdin;
}

describe('changing what this machine trusts', () => {
  it('refuses without a terminal and without --yes', async () => {
    const machine = nssMachine();
    const { failure, stdout, stderr } = await change(machine, 'install');
    expect(failure?.code).to.equal('bad_config');
    expect(failure?.hint).to.match(/--yes.*--print/);
    expect(stderr).to.include('$ /usr/bin/certutil -A ');
    expect({ stdout, ran: machine.ran }).to.deep.equal({ stdout: '', ran: [] });
  });

  it('shows with --print, and does nothing', async () => {
    const machine = nssMachine();
    const { stdout, failure } = await change(machine, 'install', { flags: { print: true } });
    expect(failure).to.equal(undefined);
    expect(stdout).to.match(/nssdb, for Chromium and Chrome\n {2}\$ \/usr\/bin\/certutil -A /);
    const json = await change(machine, 'install', { flags: { print: true, json: true } });
    const { stores } = JSON.parse(json.stdout);
    expect(stores).to.have.length(1);
    expect(stores[0]).to.include({ trusted: false });
    expect(stores[0].commands[0][1]).to.equal('-A');
    expect(machine.ran).to.deep.equal([]);
  });

  it('asks, and does nothing unless the answer is yes', async () => {
    for (const typed of ['n\n', '\n', 'yeah\n', '']) {
      const machine = nssMachine();
      const { failure, stderr } = await change(machine, 'install', { stdin: terminal(typed) });
      expect(failure?.message).to.equal('nothing was changed');
      expect(stderr).to.include('Do this? [y/N]');
      expect(machine.ran).to.deep.equal([]);
    }
    const machine = nssMachine();
    const { failure, stdout } = await change(machine, 'install', { stdin: terminal('y\n') });
    expect(failure).to.equal(undefined);
    expect(machine.ran).to.deep.equal(['-A']);
    expect(stdout).to.match(/nssdb trusts it\n/);
  });

  it('does it with --yes, once, and takes it back', async () => {
    const machine = nssMachine();
    const flags = { yes: true };
    await change(machine, 'install', { flags });
    const again = await change(machine, 'install', { flags });
    expect(again.stdout).to.include('trusts it already');
    expect(machine.ran).to.deep.equal(['-A']);
    const { stdout } = await change(machine, 'uninstall', { flags: { ...flags, json: true } });
    expect(JSON.parse(stdout).stores[0]).to.include({ trusted: false });
    expect((await change(machine, 'uninstall', { flags })).stdout).to.include("doesn't have it");
    expect(machine.ran).to.deep.equal(['-A', '-D']);
  });

  it('says which command failed, and which did nothing', async () => {
    const flags = { yes: true };
    const paths = ['/usr/bin/certutil', '/home/me/.pki/nssdb/cert9.db'];
    const failing = await change(fakeMachine(paths, { run: async () => 3 }), 'install', { flags });
    expect(failing.failure?.message).to.match(/nssdb could not be changed: .*certutil gave 3/);
    expect(failing.failure?.hint).to.match(/^try it: \/usr\/bin\/certutil -A/);
    const idle = await change(fakeMachine(paths), 'install', { flags });
    expect(idle.failure?.message).to.include('is as it was');
  });

  it('says so where there is no store, or no tool for it', async () => {
    expect((await change(fakeMachine([]), 'install')).stdout).to.include('no trust store');
    const bare = fakeMachine(['/home/me/.pki/nssdb/cert9.db']);
    expect((await change(bare, 'install')).stdout).to.match(/needs certutil \(Debian: libnss3/);
  });
});

describe('nws ca', () => {
  const folder = useTempFolder();

  it('shows what it would do on this machine', async () => {
    const argv = ['ca', '--install', '--print', '--json'];
    const { status, stdout } = await run(folder.path, argv);
    expect(status).to.equal(0);
    expect(JSON.parse(stdout).stores).to.be.an('array');
  });

  for (const flags of ['--install --uninstall', '--print', '--yes']) {
    it(`refuses ${flags} alone`, async () => {
      const { status, stderr } = await run(folder.path, ['ca', ...flags.split(' ')]);
      expect(status).to.equal(2);
      expect(stderr).to.match(/^nws: --.*\nhint: /);
    });
  }
});
