// What is wrong with an origin that gives no answer, or none that can be handed on, in our terms.

import { NwsError, toNwsError } from '../errors.js';
import { MAX_HEADER_BYTES } from '../limits.js';
import { type RawHeaders, values } from './headers.js';

/** Transfer codings that leave the body as it is. */
const PLAIN = new Set(['', 'chunked', 'identity']);

/** Of transfer codings, node:http undoes `chunked` alone: what is left would be noise to the client. */
export function unreadable(raw: RawHeaders): NwsError | undefined {
  const codings = values(raw, 'transfer-encoding').join(',').toLowerCase().split(',');
  const odd = codings.map((coding) => coding.trim()).filter((coding) => !PLAIN.has(coding));
  if (odd.length === 0) return undefined;
  const message = `the server answered in the transfer coding ${odd[0]!.slice(0, 40)}`;
  return new NwsError('http_protocol_error', message, {
    hint: 'let the server use Content-Encoding instead',
  });
}

/** Its `code`, where that is a text: a DOMException's is a number. */
export function codeOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : '';
}

export function forwardError(error: Error): NwsError {
  const code = codeOf(error);
  if (code === 'HPE_HEADER_OVERFLOW') {
    const message = `the server's response head is over ${MAX_HEADER_BYTES} bytes`;
    return new NwsError('http_protocol_error', message, { cause: error });
  }
  if (code.startsWith('HPE_')) {
    const message = 'the server answered with something else than HTTP';
    return new NwsError('http_protocol_error', message, { cause: error });
  }
  return toNwsError(error, 'http_protocol_error');
}
