// A port of its own for the pages about this program, where there is no other. Beyond loopback, or wherever a password
// is set, it wants that.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { NwsError, toNwsError } from '../../errors.js';
import { Authenticator, type Credentials, demandLogin } from '../../http/auth/auth.js';
import { formatHostPort, type HostPort } from '../../http/host-port.js';
import { CLIENT_HEAD_TIMEOUT_MS } from '../../limits.js';
import type { Subject } from '../state/watch.js';
import { StatusPages } from './pages.js';

const MAX_CONNECTIONS = 128;
/** Anyone may ask whether the program is alive. */
const OPEN_PAGE = '/healthz';

export interface StatusServerOptions {
  readonly listen: HostPort;
  /** Absent: whoever reaches the port may look; it has to be loopback's. */
  readonly auth?: Credentials | undefined;
  readonly subject: Subject;
  readonly log: Logger;
}

export class StatusServer {
  readonly #server: Server;
  readonly #pages: StatusPages;
  #address: HostPort | undefined;

  private constructor({ auth, subject, log }: StatusServerOptions) {
    // A browser gives a password to nobody but the name that it was typed for.
    this.#pages = new StatusPages({ subject, ...(auth && { isOwn: () => true }) });
    const authenticator = auth && new Authenticator(auth, log);
    const limits = {
      headersTimeout: CLIENT_HEAD_TIMEOUT_MS,
      requestTimeout: CLIENT_HEAD_TIMEOUT_MS,
    };
    this.#server = createServer(
      limits,
      (req, res) => void this.#onRequest(req, res, authenticator),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws NwsError `address_in_use`, or `bad_config` for an address that can't be listened on. */
  static async start(options: StatusServerOptions): Promise<StatusServer> {
    const server = new StatusServer(options);
    await server.#listen(options.listen);
    return server;
  }

  /** `http://host:port`. */
  get url(): string {
    return `http://${formatHostPort(this.#address!)}`;
  }

  /** Pages that are live now. */
  get viewers(): number {
    return this.#pages.viewers;
  }

  async close(): Promise<void> {
    this.#pages.close();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #listen(listen: HostPort): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(cannotListen(listen, error)));
      this.#server.listen(listen.port, listen.host, () => {
        const { address, port } = this.#server.address() as AddressInfo;
        this.#address = { host: address, port };
        resolve();
      });
    });
  }

  async #onRequest(
    req: IncomingMessage,
    res: ServerResponse,
    authenticator: Authenticator | undefined,
  ): Promise<void> {
    const { url = '/', headers } = req;
    const isOpen = authenticator === undefined || url === OPEN_PAGE;
    if (isOpen || (await authenticator.admits(req, 'authorization'))) {
      this.#pages.serve(url, headers.host, req, res);
    } else demandLogin(res);
  }
}

function cannotListen(listen: HostPort, error: NodeJS.ErrnoException): NwsError {
  const address = formatHostPort(listen);
  const isTaken = toNwsError(error).code === 'address_in_use';
  return new NwsError(
    isTaken ? 'address_in_use' : 'bad_config',
    isTaken
      ? `${address} is taken by another program`
      : `can't listen on ${address}: ${error.code ?? error.message}`,
    { hint: 'check --status', cause: error },
  );
}
