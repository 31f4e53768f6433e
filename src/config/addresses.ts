// Addresses of this machine in settings: where to listen, and where exits reach us.

import { isIPv4 } from 'node:net';
import { badSetting, type Setting, type Settings } from './env.js';

/** Where the entry listens, unless told otherwise: the port of the Go program. */
export const DEFAULT_LISTEN = '127.0.0.1:8882';

export interface ListenAddress {
  /** A name or an IP address; IPv6 without its brackets. */
  readonly host: string;
  readonly port: number;
}

/**
 * `host:port`, `[::1]:port`, `:port` or a port alone, which are of `127.0.0.1`; port 0 is any free one.
 * @throws NwsError `bad_config` for anything else
 */
export function parseListen({ text, origin }: Setting): ListenAddress {
  const { host = '127.0.0.1', port } = hostAndPort(text);
  if (port !== undefined) return { host, port };
  throw badSetting(`${origin} is not an address: ${text}`, `write it like ${DEFAULT_LISTEN}`);
}

/** @throws NwsError `bad_config` for an address that others can reach as well. */
export function demandLoopback(setting: Setting, { host, port }: ListenAddress, way = ''): void {
  if (isLoopback(host)) return;
  const message = `${setting.origin} may only be a loopback address, not ${host}`;
  throw badSetting(message, `${way}use 127.0.0.1:${port}`);
}

export interface ReverseAddresses {
  /** Where exits reach us: unset, there are no reverse connections. */
  readonly publicAddress?: ListenAddress;
  /** Where we listen for them. */
  readonly reverseListen?: ListenAddress;
}

/**
 * Reads --public-address and --reverse-listen, whose default is the public port on every interface: exits come
 * from elsewhere, and loopback would never see them.
 * @throws NwsError `bad_config`
 */
export function reverseAddresses(settings: Settings): ReverseAddresses {
  const asked = settings.text({ flag: 'public-address', variable: 'PUBLIC_ADDRESS' });
  const bind = settings.text({ flag: 'reverse-listen', variable: 'NWS_REVERSE_LISTEN' });
  if (asked === undefined) {
    if (bind === undefined) return {};
    const hint = 'add --public-address host:port, which exits are told';
    throw badSetting(`${bind.origin} is of no use alone`, hint);
  }
  const publicAddress = parsePublic(asked);
  const { port } = publicAddress;
  const everywhere = isIPv4(publicAddress.host) ? '0.0.0.0' : '::';
  // The last one is what the Go program calls it.
  const listen = bind ?? settings.variable('PUBLIC_ADDRESS_BIND');
  if (listen === undefined) return { publicAddress, reverseListen: { host: everywhere, port } };
  return { publicAddress, reverseListen: parseReverseListen(listen, everywhere) };
}

/** An address that somebody else is to dial: host and port, both. */
export function parsePublic({ text, origin }: Setting): ListenAddress {
  const { host, port } = hostAndPort(text);
  if (host !== undefined && port) return { host, port };
  const lacking = HOST.test(text) ? 'has no port' : 'is not an address';
  const hint = 'write it like 203.0.113.7:8883, entry.example:8883 or [2001:db8::7]:8883';
  throw badSetting(`${origin} ${lacking}: ${text}`, hint);
}

function parseReverseListen({ text, origin }: Setting, everywhere: string): ListenAddress {
  const { host = everywhere, port } = hostAndPort(text);
  if (port) return { host, port };
  const hint = 'write it like 0.0.0.0:8883, [::]:8883 or :8883';
  throw badSetting(`${origin} is not an address with a port: ${text}`, hint);
}

const NAME = '[A-Za-z0-9._-]+';
const IPV6 = '\\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\\]';
const HOST = new RegExp(`^(?:${NAME}|${IPV6})$`);
const HOST_PORT = new RegExp(`^(?:(${NAME}|${IPV6})?:)?(\\d{1,5})$`);

/** Parts of `host:port`, `:port` or a port alone; no port where it is malformed. */
function hostAndPort(text: string): { host?: string; port?: number } {
  const [, host, digits] = HOST_PORT.exec(text) ?? [];
  const port = Number(digits ?? Number.NaN);
  if (!(port <= 65_535)) return {};
  return host === undefined ? { port } : { host: host.replace(/[[\]]/g, ''), port };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}
