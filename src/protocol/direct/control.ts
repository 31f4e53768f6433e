// What the two sides of a path say about its streams, on its control stream: JSON, one message a line. Pure.

import { NwsError } from '../../errors.js';

export type ControlMessage =
  /** The entry asks for a stream; `id`: of its stream of UDX. */
  | {
      readonly type: 'CONNECT';
      readonly key: string;
      readonly destination: string;
      readonly id: number;
    }
  /** The exit's stream of UDX: now TLS can begin. */
  | { readonly type: 'ACCEPT'; readonly key: string; readonly id: number }
  /** The target is connected. */
  | { readonly type: 'OPEN'; readonly key: string }
  | {
      readonly type: 'RESET';
      readonly key: string;
      readonly error: string;
      readonly detail?: string | undefined;
    };

/** Longest line, and longest text in it, in characters. */
const MAX_LINE = 8_192;
const MAX_TEXT = 1_024;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function encodeControl(message: ControlMessage): string {
  return `${JSON.stringify(message)}\n`;
}

/** Puts lines together from what arrives. */
export class ControlReader {
  #rest = '';

  /**
   * The messages that are whole now; those of an unknown type are left out.
   * @throws NwsError `bad_message`
   */
  read(text: string): ControlMessage[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop()!;
    if (this.#rest.length > MAX_LINE) throw bad('a line is too long');
    return lines.flatMap((line) => decode(line) ?? []);
  }
}

function decode(line: string): ControlMessage | undefined {
  const fields = fieldsOf(line);
  const { type } = fields;
  if (type !== 'CONNECT' && type !== 'ACCEPT' && type !== 'OPEN' && type !== 'RESET') {
    return undefined;
  }
  const key = text(fields, 'key');
  if (!UUID.test(key)) throw bad('key is not a UUID');
  switch (type) {
    case 'CONNECT':
      return { type, key, destination: text(fields, 'destination'), id: id(fields) };
    case 'ACCEPT':
      return { type, key, id: id(fields) };
    case 'OPEN':
      return { type, key };
    case 'RESET': {
      const detail = fields.detail === undefined ? undefined : text(fields, 'detail');
      return { type, key, error: text(fields, 'error'), detail };
    }
  }
}

function fieldsOf(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // As anything else that is no object.
  }
  throw bad('a line is no JSON object');
}

function text(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value === 'string' && value.length <= MAX_TEXT) return value;
  throw bad(`${name} is not a short string`);
}

function id({ id: value }: Record<string, unknown>): number {
  const isId = Number.isInteger(value) && (value as number) > 0 && (value as number) <= 0xffff_ffff;
  if (isId) return value as number;
  throw bad('id is not a stream');
}

function bad(message: string): NwsError {
  return new NwsError('bad_message', `on the direct path, ${message}`);
}
