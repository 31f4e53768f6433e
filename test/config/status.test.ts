// Where an exit shows its status page: on loopback, or anywhere with a password.

import { expect } from 'chai';
import { exitConfig } from '../../src/config/config.js';
import { refused, sources } from './support.js';

const exit = (flags: Record<string, unknown>, env: Record<string, string> = {}) =>
  exitConfig(sources({ flags: { target: 'tcp://127.0.0.1:1', relay: ['ws://a'], ...flags }, env }));

describe('the status page of an exit', () => {
  it('is nowhere unless it is asked for', () => {
    expect(exit({}, { NWS_AUTH: 'not a password' })).to.not.have.any.keys('status', 'auth');
  });

  it('is read from a flag, or a variable', () => {
    const status = { host: '127.0.0.1', port: 9443 };
    expect(exit({ status: '9443' })).to.deep.include({ status });
    expect(exit({}, { NWS_STATUS: '127.0.0.1:9443' })).to.deep.include({ status });
  });

  it('may be beyond loopback with a password alone, with a word about the network', () => {
    const error = refused(() => exit({ status: '0.0.0.0:9443' }));
    expect(error.message).to.match(/^--status may only be a loopback address/);
    expect(error.hint).to.match(/--auth user:password/);
    const config = exit({ status: '0.0.0.0:9443' }, { NWS_AUTH: 'anna:secret' });
    expect(config.auth).to.deep.equal({ user: 'anna', password: 'secret' });
    expect(config.warnings.join())
      .to.match(/--status reaches beyond/)
      .and.not.include('secret');
    expect(exit({ status: '9443', auth: 'anna:secret' }).warnings.join()).to.match(/NWS_AUTH/);
  });
});
