// A gRPC service on loopback that answers with what it was sent, and what a client of it is made with.

import {
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  type ClientWritableStream,
  Metadata,
  makeGenericClientConstructor,
  type requestCallback,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';

const asIs = (bytes: Buffer): Buffer => bytes;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/nws.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});

const ECHO = {
  once: method('once', false, false),
  split: method('split', false, true),
  join: method('join', true, false),
  talk: method('talk', true, true),
  fail: method('fail', false, false),
  hang: method('hang', false, false),
} satisfies ServiceDefinition;

type Call = ServerUnaryCall<Buffer, Buffer>;
type Reply = requestCallback<Buffer>;

export interface EchoClient {
  once(request: Buffer, metadata: Metadata, reply: Reply): ClientUnaryCall;
  fail(request: Buffer, reply: Reply): ClientUnaryCall;
  hang(request: Buffer, options: { deadline?: Date }, reply: Reply): ClientUnaryCall;
  /** Each byte of the request comes back as a message. */
  split(request: Buffer): ClientReadableStream<Buffer>;
  join(reply: Reply): ClientWritableStream<Buffer>;
  talk(): ClientDuplexStream<Buffer, Buffer>;
  close(): void;
}

export class EchoService {
  readonly #server = new Server();
  /** Calls of `hang` that clients have given up, and how many wait now. */
  cancelled = 0;
  waiting = 0;
  port = 0;

  static async start(credentials = ServerCredentials.createInsecure()): Promise<EchoService> {
    const service = new EchoService();
    service.#server.addService(ECHO, service.#methods());
    service.port = await new Promise<number>((resolve, reject) => {
      service.#server.bindAsync('127.0.0.1:0', credentials, (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
    return service;
  }

  close(): void {
    this.#server.forceShutdown();
  }

  #methods() {
    return {
      once: (call: Call, reply: sendUnaryData<Buffer>) => {
        const trailer = new Metadata();
        trailer.set('x-seen', call.metadata.get('x-said').join());
        call.sendMetadata(call.metadata.clone());
        reply(null, call.request, trailer);
      },
      split: (call: ServerWritableStream<Buffer, Buffer>) => {
        for (const byte of call.request) call.write(Buffer.of(byte));
        call.end();
      },
      join: (call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
        const parts: Buffer[] = [];
        call.on('data', (part: Buffer) => parts.push(part));
        call.on('end', () => reply(null, Buffer.concat(parts)));
      },
      talk: (call: ServerDuplexStream<Buffer, Buffer>) => {
        call.on('data', (part: Buffer) => call.write(part));
        call.on('end', () => call.end());
      },
      fail: (_call: Call, reply: sendUnaryData<Buffer>) => {
        reply({ code: status.FAILED_PRECONDITION, details: 'not like this' });
      },
      hang: (call: Call) => {
        this.waiting += 1;
        call.on('cancelled', () => {
          this.waiting -= 1;
          this.cancelled += 1;
        });
      },
    };
  }
}

/** A client for `address`; it honours `grpc_proxy` as it stands at this moment. */
export function echoClient(address: string, credentials: ChannelCredentials): EchoClient {
  const Client = makeGenericClientConstructor(ECHO, 'Echo');
  return new Client(address, credentials) as unknown as EchoClient;
}
