// Fields of a message in JSON, each checked as it is read. Pure.

import { NwsError } from '../../errors.js';

/** Longest `destination`, `entryPublicAddress`, `error` and `detail`, in characters. */
export const MAX_TEXT = 1024;

export type Fields = Readonly<Record<string, unknown>>;

export function bad(message: string): NwsError {
  return new NwsError('bad_message', message);
}

export function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw bad(`${name} is not a string`);
  if (value.length > MAX_TEXT) throw bad(`${name} is longer than ${MAX_TEXT} characters`);
  return value;
}

export function offset(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw bad(`${name} is not an integer from 0 to 2^53 - 1`);
  }
  return value as number;
}

/** Absent means false. */
export function flag(fields: Fields, name: string): boolean {
  const value = fields[name] ?? false;
  if (typeof value !== 'boolean') throw bad(`${name} is not true or false`);
  return value;
}
