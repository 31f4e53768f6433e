// PATH: where a side may be reached past the relays (README.md, "Direct paths"). Pure.

/** Candidates and STUN servers of one PATH that are read, and how long each may be, in characters. */
export const MAX_PATH_CANDIDATES = 8;
export const MAX_PATH_STUN = 4;
const MAX_ENDPOINT = 255;
/** Between the parts of a list in a frame; no address has it. */
const SEPARATOR = ',';

export interface Path {
  readonly type: 'PATH';
  /** Of the attempt. */
  readonly key: string;
  /** Of the entry: what both sides prove that they know, 32 bytes. */
  readonly secret?: Buffer | undefined;
  /** `address:port` each; believe nothing of them. */
  readonly candidates: readonly string[];
  /** `host:port` of servers that tell the other side how it looks from outside. */
  readonly stun?: readonly string[] | undefined;
}

/** Of lists that are too long, the beginning. */
export function readPath(
  fields: Readonly<Record<string, unknown>>,
): Pick<Path, 'candidates' | 'stun'> {
  const candidates = texts(fields.candidates, MAX_PATH_CANDIDATES);
  const stun = texts(fields.stun, MAX_PATH_STUN);
  return { candidates, ...(stun.length > 0 && { stun }) };
}

/** What OPEN says about taking part. */
export function readOffer(fields: Readonly<Record<string, unknown>>): { direct?: boolean } {
  return fields.direct === true ? { direct: true } : {};
}

/** Lists as frames have them. */
export function joinList(list: readonly string[] = []): string {
  return list.join(SEPARATOR);
}

export function splitList(text: string): string[] {
  return text === '' ? [] : text.split(SEPARATOR);
}

export function encodePath(message: Path): string {
  return JSON.stringify({ ...message, secret: message.secret?.toString('base64') });
}

function texts(value: unknown, most: number): string[] {
  if (!Array.isArray(value)) return [];
  const isShort = (item: unknown): item is string =>
    typeof item === 'string' && item.length <= MAX_ENDPOINT;
  return value.slice(0, most).filter(isShort);
}
