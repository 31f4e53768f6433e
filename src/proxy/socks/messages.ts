// The messages of SOCKS5 (RFC 1928) and of its user and password (RFC 1929): bytes to parts, and answers to bytes. Pure.

import ipaddr from 'ipaddr.js';
import { type ErrorCode, NwsError } from '../../errors.js';
import { formatHostPort, type HostPort, parseHostPort } from '../../http/host-port.js';

export const VERSION = 5;
export const VERSION_4 = 4;
const LOGIN_VERSION = 1;

/** Whether a connection that begins with this byte speaks SOCKS, be it 4 or 5. HTTP never begins so. */
export function isSocks(firstByte: number): boolean {
  return firstByte === VERSION || firstByte === VERSION_4;
}

export const METHOD = { none: 0, login: 2, unacceptable: 0xff } as const;

export const REPLY = {
  succeeded: 0,
  failure: 1,
  notAllowed: 2,
  hostUnreachable: 4,
  refused: 5,
  /** "TTL expired": the one reply that stands for something which took too long. */
  timedOut: 6,
  commandUnknown: 7,
  addressTypeUnknown: 8,
} as const;

export type Reply = (typeof REPLY)[keyof typeof REPLY];

const ADDRESS = { ipv4: 1, domain: 3, ipv6: 4 } as const;
const CONNECT = 1;

/** A message and how many bytes it took; undefined while some are missing. */
export type Read<T> = { readonly value: T; readonly length: number } | undefined;

interface FaultOptions {
  readonly hint?: string;
  readonly reply?: Reply;
  readonly code?: ErrorCode;
}

/** A message that is refused, and how a client hears of it where it has asked for a connection already. */
export class SocksFault extends Error {
  readonly failure: NwsError;
  readonly reply: Reply;

  constructor(message: string, { hint, reply = REPLY.failure, code }: FaultOptions = {}) {
    super(message);
    this.failure = new NwsError(code ?? 'http_request_error', message, { hint });
    this.reply = reply;
  }
}

/** The client's methods of saying who it is. @throws SocksFault */
export function readGreeting(bytes: Buffer): Read<readonly number[]> {
  expectByte(bytes, VERSION, 'this is not SOCKS5');
  const count = bytes[1];
  if (count === undefined || bytes.length < 2 + count) return undefined;
  return { value: [...bytes.subarray(2, 2 + count)], length: 2 + count };
}

/** User and password, in UTF-8 as in HTTP. @throws SocksFault */
export function readLogin(bytes: Buffer): Read<{ user: string; password: string }> {
  expectByte(bytes, LOGIN_VERSION, 'this is not a user and a password as RFC 1929 has them');
  const user = textAt(bytes, 1);
  const password = user && textAt(bytes, 1 + user.length);
  if (user === undefined || password === undefined) return undefined;
  const length = 1 + user.length + password.length;
  return { value: { user: user.value, password: password.value }, length };
}

/** Where the client wants to be connected. @throws SocksFault for all but CONNECT, too. */
export function readRequest(bytes: Buffer): Read<HostPort> {
  expectByte(bytes, VERSION, 'this is not a request of SOCKS5');
  const [, command, , type] = bytes;
  if (type === undefined) return undefined;
  const host = hostAt(bytes.subarray(3), type);
  if (host === undefined || bytes.length < 3 + host.length + 2) return undefined;
  if (command !== CONNECT) {
    const hint = 'nothing but TCP connections goes through, and none come in';
    throw new SocksFault(`SOCKS command ${command} is not CONNECT`, {
      hint,
      reply: REPLY.commandUnknown,
    });
  }
  const port = bytes.readUInt16BE(3 + host.length);
  return { value: checked({ host: host.value, port }), length: 3 + host.length + 2 };
}

export function choice(method: number): Buffer {
  return Buffer.from([VERSION, method]);
}

export function loginAnswer(isRight: boolean): Buffer {
  return Buffer.from([LOGIN_VERSION, isRight ? 0 : 1]);
}

/** Without the address that was connected from: an exit's is nobody's business. */
export function answer(reply: Reply): Buffer {
  return Buffer.from([VERSION, reply, 0, ADDRESS.ipv4, 0, 0, 0, 0, 0, 0]);
}

/** What comes nearest to a failure among the replies. */
export function replyFor({ code }: NwsError): Reply {
  return REPLIES[code] ?? REPLY.failure;
}

const REPLIES: Partial<Record<ErrorCode, Reply>> = {
  bad_name: REPLY.hostUnreachable,
  dns_error: REPLY.hostUnreachable,
  dns_timeout: REPLY.hostUnreachable,
  destination_not_found: REPLY.hostUnreachable,
  destination_unavailable: REPLY.hostUnreachable,
  destination_ip_unroutable: REPLY.hostUnreachable,
  no_relay: REPLY.hostUnreachable,
  relay_unreachable: REPLY.hostUnreachable,
  relay_refused: REPLY.hostUnreachable,
  exit_unreachable: REPLY.hostUnreachable,
  http_request_denied: REPLY.notAllowed,
  destination_ip_prohibited: REPLY.notAllowed,
  connection_refused: REPLY.refused,
  connection_timeout: REPLY.timedOut,
  connection_read_timeout: REPLY.timedOut,
  connection_write_timeout: REPLY.timedOut,
};

function expectByte(bytes: Buffer, version: number, otherwise: string): void {
  if (bytes.length > 0 && bytes[0] !== version) throw new SocksFault(otherwise);
}

/** A length in one byte, and so many bytes of text; `length` counts them all. */
function textAt(bytes: Buffer, at: number): Read<string> {
  const length = bytes[at];
  const end = at + 1 + (length ?? 0);
  if (length === undefined || bytes.length < end) return undefined;
  return { value: bytes.toString('utf8', at + 1, end), length: 1 + length };
}

/** @param bytes from the type of the address on */
function hostAt(bytes: Buffer, type: number): Read<string> {
  switch (type) {
    case ADDRESS.domain:
      return withType(textAt(bytes, 1));
    case ADDRESS.ipv4:
    case ADDRESS.ipv6: {
      const length = type === ADDRESS.ipv4 ? 4 : 16;
      if (bytes.length < 1 + length) return undefined;
      const address = ipaddr.fromByteArray([...bytes.subarray(1, 1 + length)]);
      return { value: address.toString(), length: 1 + length };
    }
    default: {
      const hint = 'an address is IPv4, IPv6 or a name';
      const message = `SOCKS address type ${type} means nothing`;
      throw new SocksFault(message, { hint, reply: REPLY.addressTypeUnknown });
    }
  }
}

function withType(name: Read<string>): Read<string> {
  return name && { value: name.value.replace(/^\[(.*)\]$/, '$1'), length: 1 + name.length };
}

/** The same rules as for CONNECT by HTTP. */
function checked(to: HostPort): HostPort {
  try {
    return parseHostPort(formatHostPort(to));
  } catch {
    const hint = 'a name is ASCII, a port 1 to 65535';
    throw new SocksFault('the request names no host and port', { hint });
  }
}
