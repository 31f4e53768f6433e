// `nws discover`: what it prints, as text and as JSON, and how it leaves.

import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { discoverCommand, type Pinger } from '../../src/cli/commands/discover.js';
import type { Io } from '../../src/cli/io.js';
import { createSigner, generateSecretKey, type Signer } from '../../src/crypto/signer.js';
import { decodeHost, encodeNpub } from '../../src/protocol/names/address.js';
import { announcementEvent } from '../../src/protocol/wire/events.js';
import { MemoryRelay } from '../../src/relay/embedded/memory-relay.js';
import { RelayPool } from '../../src/relay/pool.js';
import { silent } from '../proxy/fixture.js';
import { jsonLines, run, useTempFolder } from './harness.js';

const newSigner = (): Signer => createSigner(generateSecretKey());

describe('nws discover', () => {
  const folder = useTempFolder();
  let relay: MemoryRelay;
  let announced: Signer[];

  beforeEach(async () => {
    relay = await MemoryRelay.start();
    announced = [];
  });
  afterEach(() => relay.close());

  async function announce(tags?: string[][]): Promise<Signer> {
    const signer = newSigner();
    const now = Math.floor(Date.now() / 1_000);
    const template = announcementEvent(now - announced.push(signer), now + 60);
    const pool = new RelayPool({ log: silent });
    await pool.broadcast([relay.url], signer.sign({ ...template, ...(tags && { tags }) }));
    await pool.close();
    return signer;
  }

  /** The command by itself, with distances of the test's own. */
  async function discovered(ping: Pinger['ping'], flags: object): Promise<string> {
    const stdout = new PassThrough();
    const io: Io = {
      ...{
        env: {},
        cwd: folder.path,
        userHome: folder.path,
        platform: 'linux',
        stdin: new PassThrough(),
      },
      ...{ stdout, stderr: new PassThrough(), signals: new EventEmitter() },
      ...{ onCrash: new Set<() => void>(), exitStatus: 0 },
    };
    let isOpen = true;
    const close = async (): Promise<void> => {
      isOpen = false;
    };
    const command = discoverCommand(io, () => ({ ping, close }));
    await command.handler({ relay: [relay.url], ...flags, _: [], $0: 'nws' });
    expect(isOpen).to.equal(false);
    return String(stdout.read());
  }

  it('prints an exit as JSON, with addresses that work elsewhere', async () => {
    const { pubkey } = await announce();
    const argv = ['discover', '--relay', relay.url, '--json'];
    const { status, stdout, stderr } = await run(folder.path, argv);
    expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
    const [{ exits }] = jsonLines(stdout) as unknown as [{ exits: Record<string, unknown>[] }];
    expect(exits).to.have.length(1);
    expect(exits[0]).to.deep.include({
      ...{ pubkey, npub: encodeNpub(pubkey), relays: [relay.url], reliableStreams: true },
    });
    expect(decodeHost(String(exits[0]?.nprofile))).to.deep.equal({ pubkey, relays: [relay.url] });
    expect(exits[0]?.ageSeconds).to.be.within(0, 60);
  });

  it('prints a line an exit, the nearest first, and those that give no answer last', async () => {
    const [far, silentOne, near] = [await announce(), await announce([]), await announce()];
    const distances = new Map([
      [far.pubkey, 220.4],
      [near.pubkey, 12],
    ]);
    const asked: string[] = [];
    const text = await discovered(async (pubkey, relays) => {
      asked.push(...relays);
      return distances.get(pubkey);
    }, {});
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/ {2,}/))).to.deep.equal(
      [
        [encodeNpub(near.pubkey), '12 ms', 'reliable'],
        [encodeNpub(far.pubkey), '220 ms', 'reliable'],
        [encodeNpub(silentOne.pubkey), '-', 'NIP-443'],
      ].map((words, index) => [...words, lines[index]?.match(/\d+ s ago/)?.[0], relay.url]),
    );
    expect(asked).to.deep.equal([relay.url, relay.url, relay.url]);
  });

  it('ends with 1 and says what to do where there is none', async () => {
    const argv = ['discover', '--relay', relay.url];
    const { status, stdout, stderr } = await run(folder.path, argv);
    expect({ status, stdout }).to.deep.equal({ status: 1, stdout: '' });
    expect(stderr).to.equal(
      `nws: no public exit announces itself at ${relay.url}\nhint: try other relays with --relay, or start an exit with --public\n`,
    );
    const json = await run(folder.path, [...argv, '--json']);
    expect(json.status).to.equal(1);
    expect(json.stdout).to.equal('{"exits":[]}\n');
  });

  it('ends with 2 where no relay is known', async () => {
    const { status, stderr } = await run(folder.path, ['discover']);
    expect(status).to.equal(2);
    expect(stderr).to.match(/^nws: no relay is known .*\nhint: .*--relay/);
  });
});
