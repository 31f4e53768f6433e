// The name as a QR code: the modules that are drawn are those of the code.

import { expect } from 'chai';
import qrcode from 'qrcode';
import { newSigner } from '../tls/support.js';
import { run, useTempFolder } from './harness.js';

const argv = ['name', '--pubkey', newSigner().pubkey, '--relay', 'wss://relay.example'];

/** The dark modules of a drawing in half blocks, without its margin. */
function modulesOf(drawing: string): boolean[][] {
  const lines = drawing.split('\n');
  const rows = lines.flatMap((line) => [
    [...line].map((block) => '█▀'.includes(block)),
    [...line].map((block) => '█▄'.includes(block)),
  ]);
  const filled = rows.filter((row) => row.includes(true));
  const left = Math.min(...filled.map((row) => row.indexOf(true)));
  return filled.map((row) => row.slice(left));
}

describe('--qr', () => {
  const folder = useTempFolder();

  it('draws the name', async () => {
    const { status, stdout } = await run(folder.path, [...argv, '--qr']);
    expect(status).to.equal(0);
    const [name = '', , ...drawing] = stdout.split('\n');
    const { size, data } = qrcode.create(name, { errorCorrectionLevel: 'L' }).modules;
    const modules = modulesOf(drawing.join('\n'));
    expect(modules).to.have.length(size);
    for (const [y, row] of modules.entries()) {
      const wanted = Array.from({ length: size }, (_, x) => data[y * size + x] === 1);
      expect(wanted.map((_, x) => row[x] ?? false)).to.deep.equal(wanted);
    }
  });

  it('leaves JSON alone, and is drawn only when asked for', async () => {
    const json = await run(folder.path, [...argv, '--qr', '--json']);
    expect(() => JSON.parse(json.stdout)).to.not.throw();
    expect((await run(folder.path, argv)).stdout).to.not.match(/[█▀▄]/);
  });
});
