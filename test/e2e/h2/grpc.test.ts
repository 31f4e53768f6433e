// gRPC as its users have it: grpc-js by CONNECT, the local CA, and an exit in front of the service.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { credentials, Metadata, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';
import { expect } from 'chai';
import { privatePem } from '../../../src/tls/files/key-file.js';
import { type EchoClient, EchoService, echoClient } from '../../support/grpc.js';
import { listenHttp } from '../../support/servers.js';
import { until } from '../../support/until.js';
import { selfSigned } from '../../tls/support.js';
import { World } from '../support/world.js';

/** The outcome of a call with one answer. */
function answered(begin: (reply: (error: ServiceError | null, value?: Buffer) => void) => unknown) {
  return new Promise<Buffer>((resolve, reject) => {
    begin((error, value) => (error === null ? resolve(value!) : reject(error)));
  });
}

async function failureOf(call: Promise<unknown>): Promise<ServiceError> {
  return call.then(
    () => expect.fail('the call went well'),
    (error: ServiceError) => error,
  );
}

function clientOf(world: World): EchoClient {
  const before = process.env.grpc_proxy;
  process.env.grpc_proxy = world.proxy.url;
  try {
    const ca = readFileSync(world.proxy.caPath);
    return echoClient(`${world.exit.domain}:443`, credentials.createSsl(ca));
  } finally {
    if (before === undefined) delete process.env.grpc_proxy;
    else process.env.grpc_proxy = before;
  }
}

async function behindTls(): Promise<[EchoService, World]> {
  const pair = selfSigned(undefined, ['service.example']);
  const cert_chain = Buffer.from(pair.certificate.toString());
  const private_key = Buffer.from(privatePem(pair));
  const service = await EchoService.start(
    ServerCredentials.createSsl(null, [{ cert_chain, private_key }]),
  );
  const targetTrust = { ca: String(cert_chain), name: 'service.example' };
  const target = `https://127.0.0.1:${service.port}`;
  return [service, await World.start({ target, exit: { targetTrust } })];
}

async function plain(): Promise<[EchoService, World]> {
  const service = await EchoService.start();
  return [service, await World.start({ target: `h2c://127.0.0.1:${service.port}` })];
}

for (const scheme of ['h2c', 'https'] as const) {
  describe(`gRPC through an exit in front of ${scheme}://`, () => {
    let service: EchoService;
    let world: World;
    let client: EchoClient;

    before(async () => {
      [service, world] = await (scheme === 'https' ? behindTls() : plain());
      client = clientOf(world);
    });

    after(async () => {
      client.close();
      service.close();
      await world.close();
    });

    it('makes unary calls, with metadata both ways', async () => {
      const said = new Metadata();
      said.set('x-said', 'hello');
      let head: Metadata | undefined;
      let end: Metadata | undefined;
      const value = await answered((reply) => {
        const call = client.once(Buffer.from('ping'), said, reply);
        call.on('metadata', (metadata) => (head = metadata));
        call.on('status', ({ metadata }) => (end = metadata));
      });
      await until(() => end !== undefined);
      expect(value.toString()).to.equal('ping');
      expect(head?.get('x-said')).to.deep.equal(['hello']);
      expect(end?.get('x-seen')).to.deep.equal(['hello']);
    });

    it('carries messages larger than any window', async () => {
      const large = Buffer.alloc(3_000_000, 'x');
      const value = await answered((reply) => client.once(large, new Metadata(), reply));
      expect(value.equals(large)).to.equal(true);
    });

    it('streams from the server', async () => {
      const parts: string[] = [];
      for await (const part of client.split(Buffer.from('abc'))) parts.push(String(part));
      expect(parts).to.deep.equal(['a', 'b', 'c']);
    });

    it('streams from the client', async () => {
      const value = await answered((reply) => {
        const call = client.join(reply);
        call.write(Buffer.from('a'));
        call.write(Buffer.from('b'));
        call.end();
      });
      expect(value.toString()).to.equal('ab');
    });

    it('talks in turns, each side waiting for the other', async () => {
      const call = client.talk();
      for (const word of ['one', 'two', 'three']) {
        call.write(Buffer.from(word));
        const [part] = await once(call, 'data');
        expect(String(part)).to.equal(word);
      }
      const ended = once(call, 'status');
      call.end();
      call.resume();
      expect((await ended)[0].code).to.equal(status.OK);
    });

    it('hands on the status and the message of a failure', async () => {
      const error = await failureOf(answered((reply) => client.fail(Buffer.of(), reply)));
      expect(error.code).to.equal(status.FAILED_PRECONDITION);
      expect(error.details).to.equal('not like this');
    });

    it('gives up at the deadline, and so does the server', async () => {
      const { cancelled } = service;
      const deadline = new Date(Date.now() + 300);
      const call = answered((reply) => client.hang(Buffer.of(), { deadline }, reply));
      expect((await failureOf(call)).code).to.equal(status.DEADLINE_EXCEEDED);
      await until(() => service.cancelled === cancelled + 1);
    });

    it('takes a cancelled call to the server, and leaves the others alone', async () => {
      const { cancelled } = service;
      const other = client.talk();
      other.write(Buffer.from('before'));
      await once(other, 'data');
      const failed = answered((reply) => {
        const call = client.hang(Buffer.of(), {}, reply);
        void until(() => service.waiting === 1).then(() => call.cancel());
      });
      expect((await failureOf(failed)).code).to.equal(status.CANCELLED);
      await until(() => service.cancelled === cancelled + 1);
      other.write(Buffer.from('after'));
      expect(String((await once(other, 'data'))[0])).to.equal('after');
      other.end();
      other.resume();
      await once(other, 'status');
    });

    it('makes a hundred calls at once', async () => {
      const calls = Array.from({ length: 100 }, (_, n) =>
        answered((reply) => client.once(Buffer.from(`${n}`), new Metadata(), reply)),
      );
      expect((await Promise.all(calls)).map(String)).to.deep.equal(
        [...Array(100).keys()].map(String),
      );
    });
  });
}

describe('gRPC through an exit that can not serve it', () => {
  it('says UNAVAILABLE and why where the target is down', async () => {
    const service = await EchoService.start();
    service.close();
    const world = await World.start({ target: `h2c://127.0.0.1:${service.port}` });
    const client = clientOf(world);
    try {
      const error = await failureOf(
        answered((reply) => client.once(Buffer.of(), new Metadata(), reply)),
      );
      expect(error.code).to.equal(status.UNAVAILABLE);
      expect(error.details).to.match(/cannot reach the target/);
    } finally {
      client.close();
      await world.close();
    }
  });

  it('says what to do where the service stands behind http://', async () => {
    const service = await EchoService.start();
    const world = await World.start({ target: `http://127.0.0.1:${service.port}` });
    const client = clientOf(world);
    try {
      const error = await failureOf(
        answered((reply) => client.once(Buffer.of(), new Metadata(), reply)),
      );
      expect(error.code).to.equal(status.UNAVAILABLE);
      expect(error.details).to.match(/h2c:\/\//);
    } finally {
      client.close();
      service.close();
      await world.close();
    }
  });

  it('is answered by a web server as the web answers', async () => {
    const site = await listenHttp((_req, res) => res.writeHead(404).end('no'));
    const world = await World.start({ target: `http://127.0.0.1:${site.port}` });
    const client = clientOf(world);
    try {
      const error = await failureOf(
        answered((reply) => client.once(Buffer.of(), new Metadata(), reply)),
      );
      expect(error.code).to.equal(status.UNIMPLEMENTED);
    } finally {
      client.close();
      await site.close();
      await world.close();
    }
  });
});

describe('gRPC where there is no exit', () => {
  it('says UNAVAILABLE and why, within TLS', async () => {
    const service = await EchoService.start();
    const world = await World.start({
      target: `h2c://127.0.0.1:${service.port}`,
      proxy: { openTimeoutMs: 500 } as object,
    });
    await world.exit.close(0);
    const client = clientOf(world);
    try {
      const error = await failureOf(
        answered((reply) => client.once(Buffer.of(), new Metadata(), reply)),
      );
      expect(error.code).to.equal(status.UNAVAILABLE);
      expect(error.details).to.match(/^nws: /);
    } finally {
      client.close();
      service.close();
      await world.close();
    }
  });
});
