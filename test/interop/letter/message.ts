// The messages of a peer that knows the text of NIP-443 and nothing else: exact names, the three types of the
// document, and `data` as its example has it, where that can be told from base64.

export interface LetterMessage {
  readonly key: string;
  readonly type: 'CONNECT' | 'CONNECTR' | 'DATA';
  readonly data?: Buffer | undefined;
  readonly destination?: string | undefined;
}

const TYPES = ['CONNECT', 'CONNECTR', 'DATA'];
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const PRINTABLE = /^[\x20-\x7e\r\n\t]*$/;

/** @param asText printable data that isn't base64 goes as it is */
export function writeLetterMessage(message: LetterMessage, asText: boolean): string {
  const { data, ...rest } = message;
  const text = data?.toString('latin1') ?? '';
  const isText = asText && PRINTABLE.test(text) && !BASE64.test(text);
  return JSON.stringify({ ...rest, data: isText ? text : data?.toString('base64') });
}

/** The message, or undefined for what the document doesn't know. */
export function readLetterMessage(text: string): LetterMessage | undefined {
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { key, type, data, destination } = value as Record<string, unknown>;
  if (typeof key !== 'string' || !TYPES.includes(`${type}`)) return undefined;
  return {
    key,
    type: type as LetterMessage['type'],
    data: typeof data === 'string' ? bytesOf(data) : undefined,
    destination: typeof destination === 'string' ? destination : undefined,
  };
}

function bytesOf(data: string): Buffer {
  return Buffer.from(data, BASE64.test(data) ? 'base64' : 'utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
