// Words of the help pages: the options of all commands, and worked examples.

import type { Options } from 'yargs';

const text = { type: 'string', requiresArg: true } as const;
const list = { ...text, array: true } as const;

const OPTIONS = {
  relay: { ...list, describe: 'Relay to use, ws:// or wss:// (repeat for more) [NOSTR_RELAYS]' },
  target: {
    ...text,
    describe: 'Where requests go: http://, https://, h2c:// or tcp://host:port [BACKEND_HOST]',
  },
  public: {
    type: 'boolean',
    describe: 'Announce this exit, and serve the clear web: ports 80 and 443 [PUBLIC]',
  },
  'announce-interval': {
    ...text,
    describe: 'Seconds between announcements, 1 to 3600 [default: 10] [NWS_ANNOUNCE_INTERVAL]',
  },
  allow: {
    ...list,
    describe: 'Also serve host:port, *.suffix:port or a CIDR; ports as 80+8000-8099 [NWS_ALLOW]',
  },
  deny: { ...list, describe: 'Never serve these; goes before --allow [NWS_DENY]' },
  'allow-client': {
    ...list,
    describe: 'Serve this key alone, npub or hex (repeat) [NWS_ALLOW_CLIENTS]',
  },
  'deny-client': { ...list, describe: 'Never serve this key (repeat) [NWS_DENY_CLIENTS]' },
  'client-streams': {
    ...text,
    describe: 'Connections of one client at once [default: 10000] [NWS_CLIENT_STREAMS]',
  },
  'client-opens': {
    ...text,
    describe: 'New connections of one client a minute [default: 12000] [NWS_CLIENT_OPENS]',
  },
  'client-rate': {
    ...text,
    describe: 'Bytes a second of one client, each way [default: no limit] [NWS_CLIENT_RATE]',
  },
  'target-ca': {
    ...text,
    describe: 'PEM file of the CA that an https target is checked by [NWS_TARGET_CA]',
  },
  'target-name': {
    ...text,
    describe: 'Name that the certificate of an https target has to be for [NWS_TARGET_NAME]',
  },
  'target-fingerprint': {
    ...text,
    describe:
      'SHA-256 of the one certificate that an https target may show [NWS_TARGET_FINGERPRINT]',
  },
  'host-header': {
    ...text,
    describe: 'Host header for the target, or "target" for its own [NWS_HOST_HEADER]',
  },
  key: { ...text, describe: 'Secret key, hex or nsec; --key-file is safer [NOSTR_PRIVATE_KEY]' },
  'key-file': { ...text, describe: 'File with the secret key, mode 0600 [NWS_KEY_FILE]' },
  listen: { ...text, describe: 'Address and port; port 0 is any free one' },
  auth: {
    ...text,
    describe:
      'user:password that clients of a proxy, or viewers of --status, need; a must beyond loopback [NWS_AUTH]',
  },
  status: {
    ...text,
    describe: 'Address and port of the status page, metrics and health; e.g. 9443 [NWS_STATUS]',
  },
  'public-address': {
    ...text,
    describe: 'host:port where exits reach this proxy: streams then run over TCP [PUBLIC_ADDRESS]',
  },
  'reverse-listen': {
    ...text,
    describe:
      'Address and port for that on this machine [default: that port, everywhere] [NWS_REVERSE_LISTEN]',
  },
  'reverse-tls': {
    ...text,
    describe:
      'TLS of these connections: required (default) or optional, for exits without [NWS_REVERSE_TLS]',
  },
  direct: {
    type: 'boolean',
    describe:
      'Look for a direct path (UDP) past the relays: both sides learn addresses [NWS_DIRECT]',
  },
  'direct-exit': {
    ...list,
    describe:
      'The same with this exit alone: npub, nprofile, hex or name (repeat) [NWS_DIRECT_EXITS]',
  },
  'direct-address': {
    ...text,
    describe: 'host:port where this side is reached by UDP, if that is known [NWS_DIRECT_ADDRESS]',
  },
  'direct-listen': {
    ...text,
    describe:
      'UDP port, or address and port, on this machine [default: that of --direct-address, or any] [NWS_DIRECT_LISTEN]',
  },
  'direct-local': {
    type: 'boolean',
    describe: 'Also tell and use addresses of local networks [NWS_DIRECT_LOCAL]',
  },
  stun: {
    ...list,
    describe: 'host:port of a STUN server, which tells our outside address (repeat) [NWS_STUN]',
  },
  tls: { ...text, describe: 'TLS of .nostr hosts: terminate (default) or passthrough [NWS_TLS]' },
  'require-pin': {
    type: 'boolean',
    describe: 'Refuse exits that publish no certificate [NWS_REQUIRE_PIN]',
  },
  preconnect: {
    type: 'boolean',
    describe:
      'Connections in advance to exits that were used lately [default: true] [NWS_PRECONNECT]',
  },
  clearnet: {
    ...text,
    describe: 'Other hosts: direct (default), exit (through public exits) or deny [NWS_CLEARNET]',
  },
  exit: {
    ...list,
    describe:
      'Public exit for --clearnet exit: npub, nprofile, hex or name (repeat) [default: found] [NWS_EXITS]',
  },
  alias: { ...list, describe: 'Short name, like shop.nostr=<long name> (repeat) [NWS_ALIASES]' },
  home: { ...text, describe: 'Folder for keys, certificates and pins [NWS_HOME]' },
  'log-level': {
    ...text,
    describe: 'trace, debug, info, warn, error, fatal or silent [NWS_LOG_LEVEL]',
  },
  'log-format': { ...text, describe: 'pretty or json [NWS_LOG_FORMAT]' },
  json: { type: 'boolean', describe: 'Print JSON instead of text' },
  pem: { type: 'boolean', describe: 'Print the certificate alone, as PEM' },
  path: { type: 'boolean', describe: 'Print the path of the certificate alone' },
  install: { type: 'boolean', describe: 'Have the stores of this machine trust it; asks first' },
  uninstall: { type: 'boolean', describe: 'Take it out of them again; asks first' },
  print: { type: 'boolean', describe: 'Only show what --install or --uninstall would do' },
  yes: { type: 'boolean', describe: "Don't ask" },
  check: { type: 'boolean', describe: 'Also open TLS through the tunnel and compare' },
  qr: { type: 'boolean', describe: 'Also show the name as a QR code' },
  once: { type: 'boolean', describe: 'Fetch the page, then leave' },
  out: { ...text, describe: 'File to write [default: exit.key in the home folder]' },
  pubkey: { ...text, demandOption: true, describe: 'Public key, 64 hex digits or npub' },
  behave: {
    ...text,
    describe:
      'with the habits of strfry, nostr-rs-relay, khatru (with AUTH), strict or rationed ones',
  },
  delay: { ...text, describe: 'Deliver this many milliseconds later' },
  loss: { ...text, describe: 'Lose this share of deliveries, 0 to 1' },
  duplicate: { ...text, describe: 'Deliver this share twice, 0 to 1' },
  reorder: { type: 'boolean', describe: 'Deliver each batch in random order' },
  replay: { type: 'boolean', describe: 'Give stored ephemerals to new subscriptions' },
  'max-event-bytes': { ...text, describe: 'Refuse larger events [default: 65536]' },
  'disconnect-every': { ...text, describe: 'Drop every connection this often, in milliseconds' },
  'byte-rate': { ...text, describe: 'Take so many bytes a second of each client' },
  'event-rate': { ...text, describe: 'Take so many events a second of each client' },
  'over-rate': {
    ...text,
    describe: 'What becomes of more: late (taken in its turn, default) or refused',
  },
  seed: { ...text, describe: 'Whole number that makes loss and duplicates repeatable' },
} as const satisfies Record<string, Options>;

export type OptionName = keyof typeof OPTIONS;

export const OPTION_NAMES: readonly string[] = [...Object.keys(OPTIONS), 'help', 'version'];

/** The named options, for a command's builder. */
export function options(...names: OptionName[]): Record<string, Options> {
  return Object.fromEntries(names.map((name) => [name, OPTIONS[name]]));
}

/** Worked examples for the end of a help page: what it's for, then the line to type. */
export function examples(...pairs: (readonly [purpose: string, line: string])[]): string {
  const lines = pairs.map(([purpose, line]) => `  # ${purpose}\n  ${line}`);
  return `Examples:\n${lines.join('\n\n')}`;
}
