// What an operator can do about failures that bring no hint of their own, by code.

import type { ErrorCode } from '../../errors.js';

const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  dns_timeout: 'check the name servers of the machine that resolves the host',
  dns_error: 'check how the host is written, and the name servers of the machine that resolves it',
  destination_not_found: 'check how the host is written',
  destination_unavailable: 'see whether the service behind the exit runs',
  destination_ip_prohibited: 'the exit’s policy forbids this address: see --allow and --deny',
  destination_ip_unroutable: 'check the network of the exit',
  connection_refused: 'see whether the service listens at the target’s address and port',
  connection_terminated:
    'a side closed the connection before its end: often a client that had enough',
  connection_timeout: 'see whether a firewall drops what goes to the target',
  connection_read_timeout: 'see whether the service behind the exit is overloaded',
  connection_write_timeout: 'see whether the service behind the exit is overloaded',
  connection_limit_reached: 'wait for streams to end, or raise --client-streams at the exit',
  tls_protocol_error: 'see what the client sends to this port, and what the target answers',
  tls_certificate_error: 'see --target-ca, --target-name and --target-fingerprint at the exit',
  http_request_error: 'the client sent what is no request: see its settings',
  http_request_denied: 'settings forbid it: see --clearnet, --allow and --deny',
  http_protocol_error: 'the target answered what is no HTTP: see --target',
  http_upgrade_failed: 'see whether the target speaks the protocol that was asked for',
  proxy_internal_error: 'this is a mistake of nws: the log has more; please report it',
  proxy_loop_detected: 'two proxies send requests to each other: see their settings',
  bad_name: 'check how the .nostr name is written',
  headers_too_large: 'clear the client’s cookies for this host',
  bad_message: 'the other side breaks the protocol: see which version it runs',
  bad_ciphertext: 'the other side breaks the protocol: see which version it runs',
  no_relay: 'add --relay wss://…, or use a name that carries its relays',
  relay_unreachable: 'see whether the relays run, and whether the network reaches them',
  relay_refused: 'the relay wants something of its clients: use another, or ask its operator',
  exit_unreachable: 'see whether the exit runs, and whether it uses the relays of its name',
  reverse_unreachable: 'see whether --public-address is reached from outside',
  pin_mismatch: 'the exit has to publish its certificate again; somebody may be in between',
  proxy_auth_required: 'give the client the user and password of --auth',
};

export function adviceFor(code: ErrorCode): string | undefined {
  return ADVICE[code];
}
