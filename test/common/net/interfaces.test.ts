import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { expect } from 'chai';
import { interfaceAddresses } from '../../../src/common/net/interfaces.js';

describe('common/interfaces', () => {
  const own = os.networkInterfaces;
  afterEach(() => {
    os.networkInterfaces = own;
    syncBuiltinESMExports();
  });

  it('says what it knew before where the system lets the process open no file', () => {
    const before = interfaceAddresses();
    expect(before.map(({ address }) => address)).to.include('127.0.0.1');
    os.networkInterfaces = () => {
      throw Object.assign(new Error('uv_interface_addresses'), { errno: 24 });
    };
    syncBuiltinESMExports();
    expect(interfaceAddresses()).to.equal(before);
  });
});
