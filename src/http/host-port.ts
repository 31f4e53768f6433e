// `host:port` and absolute-form targets of requests to the proxy: text to parts, checked.
// Pure. What a host means is resolve.ts.

import { NwsError } from '../errors.js';

/** A place to connect to. */
export interface HostPort {
  /** A name or an IP address; IPv6 without its brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
}

export interface AbsoluteTarget extends HostPort {
  readonly scheme: 'http' | 'https';
  /** Host and, where the client wrote one, port: what the Host header has to say. */
  readonly authority: string;
  /** Path and query as the client wrote them, `/` at least. */
  readonly path: string;
}

const NAME = /^[a-z0-9._~-]+$/i;
const IPV6 = /^[0-9a-f:.]+$/i;
const ABSOLUTE = /^(https?|wss?):\/\/([^/?#]*)([^#]*)/i;

/**
 * Reads `host:port` (RFC 9110, section 9.3.6), with an IPv6 address in brackets.
 * @throws NwsError `http_request_error`.
 */
export function parseHostPort(text: string, defaultPort?: number): HostPort {
  const [, ipv6, name, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{0,5}))?$/.exec(text) ?? [];
  const host = ipv6 ?? name ?? '';
  const wellFormed = ipv6 === undefined ? NAME.test(host) : IPV6.test(host) && host.includes(':');
  const port = digits ? Number(digits) : defaultPort;
  if (!wellFormed || port === undefined || port < 1 || port > 65_535) {
    throw new NwsError('http_request_error', 'the request does not name a host and a port', {
      hint: 'CONNECT wants host:port, with an IPv6 address in brackets',
    });
  }
  return { host, port };
}

/**
 * Reads a target in absolute form (RFC 9112, section 3.2.2); undefined for any other form.
 * `ws:` and `wss:` are taken for what they are on the wire. User information is dropped.
 * @throws NwsError `http_request_error` where the authority is malformed.
 */
export function parseAbsoluteForm(target: string): AbsoluteTarget | undefined {
  const [matched, scheme = '', rawAuthority = '', rest = ''] = ABSOLUTE.exec(target) ?? [];
  if (matched === undefined) return undefined;
  const secure = /^(https|wss)$/i.test(scheme);
  const authority = rawAuthority.slice(rawAuthority.lastIndexOf('@') + 1);
  const { host, port } = parseHostPort(authority, secure ? 443 : 80);
  const path = rest.startsWith('/') ? rest : `/${rest}`;
  return { scheme: secure ? 'https' : 'http', host, port, authority, path };
}

/** The other way round: brackets where the host is an IPv6 address. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a host names this machine itself, without asking DNS. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}
