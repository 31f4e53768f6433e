// Certificates in PEM, told apart by what they are, not by how they are written.

import { expect } from 'chai';
import { certificatesIn, toPem, union, without } from '../../../src/cli/run/certificates.js';

const A = 'QUFB'.repeat(20);
const block = (text: string, label = 'CERTIFICATE'): string =>
  `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;

describe('nws run: certificates', () => {
  it('reads them from between anything else', () => {
    const text = `Corp root\n${block(A)}${block('QkJC', 'X509 CERTIFICATE')}${block('S0VZ', 'PRIVATE KEY')}${block('VFJV', 'TRUSTED CERTIFICATE')}`;
    expect([...certificatesIn(text)]).to.deep.equal([A, 'QkJC']);
    expect(certificatesIn('nothing').size).to.equal(0);
  });

  it('knows one again however its lines are broken', () => {
    const broken = block(A.replace(/(.{10})/g, '$1\r\n'));
    expect(certificatesIn(block(A) + broken).size).to.equal(1);
  });

  it('writes them in lines that every tool reads', () => {
    const pem = toPem(certificatesIn(block(A)));
    expect(pem).to.equal(block(`${A.slice(0, 64)}\n${A.slice(64)}`));
    expect(toPem(certificatesIn(pem))).to.equal(pem);
  });

  it('joins and subtracts', () => {
    const both = union(new Set(['a']), new Set(['b', 'a']));
    expect([...both]).to.deep.equal(['a', 'b']);
    expect([...without(both, new Set(['a']))]).to.deep.equal(['b']);
  });
});
