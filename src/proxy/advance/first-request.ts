// What a client's first words are: a request that may be made twice, or anything else. Pure.

/** Methods that change nothing (RFC 9110, section 9.2.1), at the start of a request line. */
const SAFE = ['GET ', 'HEAD ', 'OPTIONS '];
const HEAD_END = '\r\n\r\n';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const FRAME_HEAD_BYTES = 9;
const [HEADERS, PRIORITY, SETTINGS, WINDOW_UPDATE] = [1, 2, 4, 8];
const [END_STREAM, PADDED, WITH_PRIORITY] = [0x01, 0x08, 0x20];
const PRIORITY_BYTES = 5;
/** `:method: GET` as a client's first field: an entry of HPACK's static table (RFC 7541, appendix A). */
const METHOD_GET = 0x82;

/**
 * - `early`: nothing is asked yet
 * - `safe`: one or more requests that may be made twice, and nothing behind them
 * - `other`: whatever else
 */
export type FirstRequest = 'early' | 'safe' | 'other';

/** @param protocol by ALPN */
export function firstRequest(protocol: string, said: Buffer): FirstRequest {
  return protocol === 'h2' ? inHttp2(said) : inHttp1(said);
}

function inHttp1(said: Buffer): FirstRequest {
  const text = said.toString('latin1');
  if (SAFE.some((method) => text.length < method.length && method.startsWith(text))) return 'early';
  if (!SAFE.some((method) => text.startsWith(method))) return 'other';
  const end = text.indexOf(HEAD_END);
  const isAlone = end < 0 || end + HEAD_END.length === text.length;
  return isAlone ? 'safe' : 'other';
}

function inHttp2(said: Buffer): FirstRequest {
  const start = said.subarray(0, PREFACE.length);
  if (!start.equals(PREFACE.subarray(0, start.length))) return 'other';
  let found: FirstRequest = 'early';
  for (let at = PREFACE.length; at + FRAME_HEAD_BYTES <= said.length; ) {
    const end = at + FRAME_HEAD_BYTES + said.readUIntBE(at, 3);
    const [type, flags] = [said[at + 3]!, said[at + 4]!];
    if (type === HEADERS) {
      const isWhole = (flags & (END_STREAM | PADDED)) === END_STREAM;
      const first = at + FRAME_HEAD_BYTES + (flags & WITH_PRIORITY ? PRIORITY_BYTES : 0);
      if (!isWhole || (first < said.length && said[first] !== METHOD_GET)) return 'other';
      if (first < said.length) found = 'safe';
    } else if (type !== PRIORITY && type !== SETTINGS && type !== WINDOW_UPDATE) return 'other';
    at = end;
  }
  return found;
}
