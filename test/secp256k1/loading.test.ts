// Which kind of the curve is taken: machine code where it is there and right, else WebAssembly, without a word.

import { expect } from 'chai';
import type { Binding } from '../../src/secp256k1/native.js';
import { bindingOfPackage, curveInUse, loadCurve } from '../../src/secp256k1/secp256k1.js';

function hasBinding(): boolean {
  try {
    return typeof bindingOfPackage().ecdh === 'function';
  } catch {
    return false;
  }
}

describe('secp256k1 loading', () => {
  it('takes machine code where there is some', () => {
    expect(curveInUse().curve.name).to.equal(hasBinding() ? 'native' : 'wasm');
    expect(curveInUse()).to.equal(curveInUse());
  });

  it('takes WebAssembly where there is none, and knows why', () => {
    const { curve, reason } = loadCurve(() => {
      throw new Error('No native build was found for platform=plan9\n    loaded from: here');
    });
    expect(curve.name).to.equal('wasm');
    expect(reason).to.equal('No native build was found for platform=plan9');
    expect(curve.isSecretKey(Buffer.alloc(32, 1))).to.equal(true);
  });

  it('takes WebAssembly where the binary is none of ours', () => {
    const { curve, reason } = loadCurve(() => ({}) as Binding);
    expect(curve.name).to.equal('wasm');
    expect(reason).to.match(/not a function/);
  });

  for (const wrong of ['publicKeyCreate', 'ecdsaRecover', 'ecdh'] as const) {
    it(`takes WebAssembly where ${wrong} computes wrongly`, function lying() {
      if (!hasBinding()) return this.skip();
      const binding = bindingOfPackage();
      const lie = (...args: never[]): Uint8Array => {
        const result = (binding[wrong] as (...args: never[]) => Uint8Array)(...args);
        result[7]! ^= 1;
        return result;
      };
      const { curve, reason } = loadCurve(() => ({ ...binding, [wrong]: lie }));
      expect(curve.name).to.equal('wasm');
      expect(reason).to.be.a('string');
    });
  }
});
