// The door of an exit: who isn't on the list stays outside, and the operator can see that somebody was there.

import { expect } from 'chai';
import { door } from '../../../src/exit/clients/door.js';
import { encodeNpub } from '../../../src/protocol/names/address.js';
import { Failures } from '../../../src/tunnel/accounts/failures.js';

const ANNA = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const BERT = 'c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5';

describe('exit/clients/door', () => {
  it('lets those in who are on the list, and notes who came beside', () => {
    const failures = new Failures();
    const mayCome = door({ allowClients: new Set([ANNA]) }, failures);
    expect([mayCome(ANNA), mayCome(BERT), mayCome(BERT)]).to.deep.equal([true, false, false]);
    const [failure, ...more] = failures.list();
    expect(more).to.deep.equal([]);
    expect(failure).to.include({ code: 'http_request_denied', count: 2, about: encodeNpub(BERT) });
    expect(failure?.hint).to.match(/--allow-client/);
  });
});
