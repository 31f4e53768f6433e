// Errors with a stable code, a hint that says what to do, and what each code means to an HTTP client.
// Everything that fails on purpose fails with an NwsError; code branches on `code`, never on text.

interface CodeMeaning {
  /** HTTP status that the proxy answers with. */
  readonly status: 400 | 403 | 407 | 431 | 500 | 502 | 503 | 504;
  /** Proxy error type of RFC 9209, section 2.3, for the Proxy-Status header and RESET messages. */
  readonly proxyError: string;
}

const CODES = {
  // Proxy error types of RFC 9209, used as they are. An exit may send any of them in a RESET.
  dns_timeout: { status: 504, proxyError: 'dns_timeout' },
  dns_error: { status: 502, proxyError: 'dns_error' },
  destination_not_found: { status: 502, proxyError: 'destination_not_found' },
  destination_unavailable: { status: 502, proxyError: 'destination_unavailable' },
  destination_ip_prohibited: { status: 403, proxyError: 'destination_ip_prohibited' },
  destination_ip_unroutable: { status: 502, proxyError: 'destination_ip_unroutable' },
  connection_refused: { status: 502, proxyError: 'connection_refused' },
  connection_terminated: { status: 502, proxyError: 'connection_terminated' },
  connection_timeout: { status: 504, proxyError: 'connection_timeout' },
  connection_read_timeout: { status: 504, proxyError: 'connection_read_timeout' },
  connection_write_timeout: { status: 504, proxyError: 'connection_write_timeout' },
  connection_limit_reached: { status: 503, proxyError: 'connection_limit_reached' },
  tls_protocol_error: { status: 502, proxyError: 'tls_protocol_error' },
  tls_certificate_error: { status: 502, proxyError: 'tls_certificate_error' },
  http_request_error: { status: 400, proxyError: 'http_request_error' },
  http_request_denied: { status: 403, proxyError: 'http_request_denied' },
  http_protocol_error: { status: 502, proxyError: 'http_protocol_error' },
  http_upgrade_failed: { status: 502, proxyError: 'http_upgrade_failed' },
  proxy_internal_error: { status: 500, proxyError: 'proxy_internal_error' },
  proxy_loop_detected: { status: 502, proxyError: 'proxy_loop_detected' },
  // Our own, each with the type of RFC 9209 that comes nearest.
  /** A `.nostr` name, npub or nprofile that can't be decoded, or that can't be encoded. */
  bad_name: { status: 400, proxyError: 'http_request_error' },
  /** A request head over the limit. */
  headers_too_large: { status: 431, proxyError: 'http_request_error' },
  /** A message or event that breaks the wire format. */
  bad_message: { status: 502, proxyError: 'http_protocol_error' },
  /** Content that can't be decrypted or authenticated. */
  bad_ciphertext: { status: 502, proxyError: 'http_protocol_error' },
  /** A setting, flag, key file or state file that can't be used. */
  bad_config: { status: 500, proxyError: 'proxy_configuration_error' },
  /** No relay is known for a name. */
  no_relay: { status: 502, proxyError: 'destination_not_found' },
  /** Every relay of a name is down or refuses us. */
  relay_unreachable: { status: 502, proxyError: 'destination_unavailable' },
  /** A relay answered `OK false`. */
  relay_refused: { status: 502, proxyError: 'destination_unavailable' },
  /** The relay works, and nobody answers for the exit's key. */
  exit_unreachable: { status: 504, proxyError: 'destination_unavailable' },
  /**
   * The exit can't reach the entry's public address, or nobody came in time. The word goes over the wire in a
   * RESET, so that the entry falls back to CONNECT.
   */
  reverse_unreachable: { status: 502, proxyError: 'reverse_unreachable' },
  /** A direct path doesn't lead to the other side any more: another way is taken. */
  direct_unreachable: { status: 502, proxyError: 'destination_unavailable' },
  /** The exit's certificate event is missing, forged, rolled back, or another one than it serves. */
  pin_mismatch: { status: 502, proxyError: 'tls_certificate_error' },
  /** A client of the proxy that didn't say who it is, or not rightly. */
  proxy_auth_required: { status: 407, proxyError: 'http_request_denied' },
  /** A local port is taken. */
  address_in_use: { status: 500, proxyError: 'proxy_configuration_error' },
  /** We are shutting down. */
  shutting_down: { status: 503, proxyError: 'connection_terminated' },
} as const satisfies Record<string, CodeMeaning>;

/** Stable names of failures: the types of RFC 9209, and our own. */
export type ErrorCode = keyof typeof CODES;

/** What an error has besides its code and message. */
export interface NwsErrorOptions {
  /** What the user can do about it, as a sentence without a full stop. */
  readonly hint?: string | undefined;
  /** What was thrown before. */
  readonly cause?: unknown;
}

/** Whatever fails on purpose. Branch on `code`, never on the text. */
export class NwsError extends Error {
  /** `NwsError`, also where classes come from two copies of the package. */
  override readonly name = 'NwsError';
  /** What kind of failure it is. */
  readonly code: ErrorCode;
  /** What the user can do about it, as a sentence without a full stop. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: NwsErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  /** HTTP status for a client of the proxy. */
  get status(): number {
    return CODES[this.code].status;
  }

  /** Proxy error type of RFC 9209. */
  get proxyError(): string {
    return CODES[this.code].proxyError;
  }

  /** One line for people: message and hint. */
  get line(): string {
    return this.hint === undefined ? this.message : `${this.message} (${this.hint})`;
  }
}

/** Whether a value, as from another process, is one of the codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(CODES, value);
}

/** Any thrown value as an NwsError; one that already is passes through. */
export function toNwsError(error: unknown, fallback: ErrorCode = 'proxy_internal_error'): NwsError {
  if (error instanceof NwsError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'EMFILE' || code === 'ENFILE') return noFiles(error);
  return new NwsError(SYSTEM_CODES[code ?? ''] ?? fallback, message, { cause: error });
}

/** The system lets this process, or anybody, open no more files and connections. */
function noFiles(cause: unknown): NwsError {
  const message = 'too many open files: the system allows no further connection';
  return new NwsError('connection_limit_reached', message, { hint: OPEN_FILES_HINT, cause });
}

/** What to do about a limit of the system on files and connections. */
export const OPEN_FILES_HINT =
  'raise the limit of open files: ulimit -n, or LimitNOFILE= of its service';

/** What the system's own error codes mean in our terms. */
const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = {
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'connection_terminated',
  EPIPE: 'connection_terminated',
  ETIMEDOUT: 'connection_timeout',
  ENOTFOUND: 'dns_error',
  EAI_AGAIN: 'dns_timeout',
  EHOSTUNREACH: 'destination_ip_unroutable',
  ENETUNREACH: 'destination_ip_unroutable',
  EADDRINUSE: 'address_in_use',
};
