// STUN as far as binding needs it (RFC 8489): one question, one answer with the address that it came from. Pure.
// Transaction ids are the asker's to make up, and to compare.

import { formatAddress, parseAddress } from '../../common/net/addresses.js';
import { type Endpoint, endpointOf } from './endpoint.js';

export const TRANSACTION_BYTES = 12;
const HEADER_BYTES = 20;
const COOKIE = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const MAPPED_ADDRESS = 0x0001;
const XOR_MAPPED_ADDRESS = 0x0020;
const FAMILY = { ipv4: 1, ipv6: 2 } as const;
/** Attributes in one message that are looked at. */
const MAX_ATTRIBUTES = 32;

export type StunMessage =
  | { readonly kind: 'request'; readonly transaction: Buffer }
  | { readonly kind: 'success'; readonly transaction: Buffer; readonly mapped: Endpoint };

/** @param transaction 12 random bytes */
export function encodeStunRequest(transaction: Buffer): Buffer {
  return header(BINDING_REQUEST, 0, transaction);
}

/** The answer to a request: where it came from. */
export function encodeStunSuccess(transaction: Buffer, mapped: Endpoint): Buffer {
  const address = Buffer.from(parseAddress(mapped.address)!);
  const value = Buffer.alloc(4 + address.length);
  value[1] = address.length === 4 ? FAMILY.ipv4 : FAMILY.ipv6;
  value.writeUInt16BE(mapped.port ^ (COOKIE >>> 16), 2);
  masked(address, transaction).copy(value, 4);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(XOR_MAPPED_ADDRESS, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([header(BINDING_SUCCESS, 4 + value.length, transaction), head, value]);
}

/** Reads a datagram; undefined for what is no binding request, and no answer to one that is of any use. */
export function decodeStun(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(4) !== COOKIE) return undefined;
  const type = bytes.readUInt16BE(0);
  if (bytes.readUInt16BE(2) !== bytes.length - HEADER_BYTES) return undefined;
  const transaction = Buffer.from(bytes.subarray(8, HEADER_BYTES));
  if (type === BINDING_REQUEST) return { kind: 'request', transaction };
  if (type !== BINDING_SUCCESS) return undefined;
  const mapped = mappedIn(bytes.subarray(HEADER_BYTES), transaction);
  return mapped && { kind: 'success', transaction, mapped };
}

/** XOR-MAPPED-ADDRESS, or what servers of before RFC 5389 say instead. */
function mappedIn(attributes: Buffer, transaction: Buffer): Endpoint | undefined {
  let plain: Endpoint | undefined;
  let at = 0;
  for (let count = 0; count < MAX_ATTRIBUTES && at + 4 <= attributes.length; count += 1) {
    const type = attributes.readUInt16BE(at);
    const length = attributes.readUInt16BE(at + 2);
    const value = attributes.subarray(at + 4, at + 4 + length);
    if (value.length < length) return undefined;
    if (type === XOR_MAPPED_ADDRESS) return readAddress(value, transaction);
    if (type === MAPPED_ADDRESS) plain = readAddress(value, undefined);
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return plain;
}

/** @param transaction what the address is masked with; undefined: it isn't */
function readAddress(value: Buffer, transaction: Buffer | undefined): Endpoint | undefined {
  const size = value[1] === FAMILY.ipv4 ? 4 : value[1] === FAMILY.ipv6 ? 16 : 0;
  if (size === 0 || value.length !== 4 + size) return undefined;
  const bytes = value.subarray(4);
  const address = transaction === undefined ? bytes : masked(bytes, transaction);
  const port = value.readUInt16BE(2) ^ (transaction === undefined ? 0 : COOKIE >>> 16);
  return endpointOf(formatAddress([...address]), port);
}

function masked(address: Buffer, transaction: Buffer): Buffer {
  const mask = Buffer.alloc(4 + TRANSACTION_BYTES);
  mask.writeUInt32BE(COOKIE, 0);
  transaction.copy(mask, 4);
  return Buffer.from(address.map((byte, index) => byte ^ mask[index]!));
}

function header(type: number, length: number, transaction: Buffer): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(length, 2);
  bytes.writeUInt32BE(COOKIE, 4);
  transaction.copy(bytes, 8, 0, TRANSACTION_BYTES);
  return bytes;
}
