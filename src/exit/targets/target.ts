// What an exit stands in front of: the --target URL, parsed and checked. Dials nothing.

import type { Duplex } from 'node:stream';
import { NwsError } from '../../errors.js';
import type { IncomingStream } from '../../tunnel/session.js';

/** How an https target is recognised. */
export interface TargetTrust {
  /** CAs to believe instead of this machine's, PEM. */
  readonly ca?: string | undefined;
  /** The name that the certificate has to be for. */
  readonly name?: string | undefined;
  /** SHA-256 of the certificate's DER, lower-case hex: this one and no other, whoever signed it and for whatever name. */
  readonly fingerprint?: string | undefined;
}

/** What an exit stands in front of. */
export interface Target {
  /** `h2c` is HTTP/2 from the first byte, without TLS. */
  readonly kind: 'http' | 'https' | 'h2c' | 'tcp';
  /** Name or address; IPv6 without brackets. */
  readonly host: string;
  /** 1 to 65,535. */
  readonly port: number;
  /** How an https target is recognised, where this machine's CAs and the target's own name don't do. */
  readonly trust?: TargetTrust | undefined;
  /** A server in this process, in place of host and port. */
  readonly open?: (() => Duplex) | undefined;
  /** Prefix of every request's path: empty, or `/app` without a slash at the end. */
  readonly path: string;
}

/** What serves the streams that were opened to a target. */
export interface TargetServer {
  /** Takes the stream, or refuses it. Never throws. */
  serve(incoming: IncomingStream): void;
  /** Ends what is idle, and after `graceMs` what is not. */
  close(graceMs: number): Promise<void>;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, h2c: 80 };

/**
 * Reads `http://host[:port][/path]`, `https://…`, `h2c://…` or `tcp://host:port`.
 * @throws NwsError `bad_config` that says what is wrong; never with userinfo in it.
 */
export function parseTarget(text: string): Target {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/i.exec(text.trim());
  if (match === null) throw bad('has no scheme');
  const kind = match[1]!.toLowerCase();
  if (kind !== 'http' && kind !== 'https' && kind !== 'h2c' && kind !== 'tcp') {
    throw bad(`has the scheme ${kind}, which is none of http, https, h2c and tcp`);
  }
  // Read as http: the URL parser knows hosts, ports and brackets for that scheme only. A default
  // port would vanish from it, so the text is asked whether there is one.
  const url = parse(`http://${match[2]}`);
  if (url.username !== '' || url.password !== '') throw bad('holds a user name or password');
  if (url.search !== '' || url.hash !== '') throw bad('holds a query or fragment');
  const authority = match[2]!.split('/', 1)[0]!;
  const port = /:\d+$/.test(authority) ? Number(url.port || 80) : DEFAULT_PORTS[kind];
  if (port === undefined) throw bad('has no port');
  if (port === 0) throw bad('has port 0');
  const path = url.pathname.replace(/\/+$/, '');
  if (kind === 'tcp' && path !== '') throw bad('is a tcp target with a path');
  return { kind, host: url.hostname.replace(/^\[|\]$/g, ''), port, path };
}

/** `host:port` as in a Host header: brackets around IPv6, without the scheme's default port. */
export function authorityOf(target: Target): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return target.port === DEFAULT_PORTS[target.kind] ? host : `${host}:${target.port}`;
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw bad('is not a URL with a valid host and port');
  }
}

function bad(what: string): NwsError {
  return new NwsError('bad_config', `--target ${what}`, {
    hint: 'give http://127.0.0.1:3000, https://host/path, h2c://127.0.0.1:50051 or tcp://127.0.0.1:22',
  });
}
