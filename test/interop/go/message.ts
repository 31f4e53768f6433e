// The messages of the Go program: written as it writes them, and read as its JSON reader does, which tells field
// names apart without regard to case, believes the last one, and gives up on a value of another type.

export interface GoMessage {
  readonly key: string;
  readonly type: string;
  readonly data?: Buffer | undefined;
  readonly destination?: string | undefined;
  /** `host:port` that a CONNECTR asks to be dialled. */
  readonly entryPublicAddress?: string | undefined;
}

/** A string, a mark, or a word, as JSON has them. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]|[^\s"{}[\]:,]+/g;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const FIELDS = ['key', 'type', 'data', 'destination', 'entryPublicAddress'];
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function writeGoMessage(message: GoMessage): string {
  const { key, type, data, destination, entryPublicAddress } = message;
  const text = data?.toString('base64');
  return JSON.stringify({ key, type, data: text, destination, entryPublicAddress });
}

/** The message, or undefined where the Go program would report an error: an array is one to it as well. */
export function readGoMessage(text: string): GoMessage | undefined {
  const fields = fieldsOf(text);
  if (fields === undefined) return undefined;
  const values = FIELDS.map((name) => fields.get(name.toLowerCase()) ?? '');
  if (!values.every((value) => typeof value === 'string')) return undefined;
  const [key = '', type = '', data = '', destination = '', entryPublicAddress = ''] = values;
  if (!UUID.test(key) || !BASE64.test(data)) return undefined;
  return {
    key: key.toLowerCase(),
    type,
    data: Buffer.from(data, 'base64'),
    destination,
    entryPublicAddress,
  };
}

/** The last value of each field by its name in lower case; a null changes nothing. */
function fieldsOf(text: string): Map<string, unknown> | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!/^\s*\{/.test(text)) return undefined;
  const fields = new Map<string, unknown>();
  for (const [name, value] of membersOf(text)) {
    if (value !== null) fields.set(name.toLowerCase(), value);
  }
  return fields;
}

/** All members of an object in their order, also those of one name; nested values as an empty object. */
function* membersOf(object: string): Generator<[name: string, value: unknown]> {
  let depth = 0;
  let name: string | undefined;
  for (const [token] of object.matchAll(TOKEN)) {
    const opens = token === '{' || token === '[';
    const isMark = opens || /^[}\]:,]$/.test(token);
    if (depth === 1 && name !== undefined && (opens || !isMark)) {
      yield [name, opens ? {} : JSON.parse(token)];
      name = undefined;
    } else if (depth === 1 && !isMark) name = JSON.parse(token) as string;
    if (opens) depth += 1;
    if (token === '}' || token === ']') depth -= 1;
  }
}
