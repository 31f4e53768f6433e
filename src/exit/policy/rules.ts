// The operator's --allow and --deny rules: text to parts, and what they match. Pure.
// How rules combine is policy.ts.

import {
  type AddressBytes,
  covers,
  hostNetwork,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../common/net/addresses.js';
import { NwsError } from '../../errors.js';
import { parseName, parsePort } from './destination.js';

export interface PortRange {
  /** 1 to 65,535, both included. */
  readonly from: number;
  readonly to: number;
}

/** Whom a rule is about: any host, one name, the names under one, or addresses. */
export type Subject =
  | { readonly kind: 'any' }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'suffix'; readonly suffix: string }
  | { readonly kind: 'network'; readonly network: Network };

/** One line of what is open, or closed. */
export interface Rule {
  /** As the operator wrote it. */
  readonly text: string;
  /** The hosts that it is about. */
  readonly subject: Subject;
  /** Empty: every port. */
  readonly ports: readonly PortRange[];
}

/** Host and ports; the first form that fits counts. A port behind bare IPv6 would be one more group of it. */
const FORMS = [
  /^\[(?<host>[^[\]]*:[^[\]]*)\](?<bits>\/\d+)?(?::(?<ports>.*))?$/, // [v6], [v6]/bits, [v6/bits]
  /^(?<host>[^[\]]*\/\d+)(?::(?<ports>.*))?$/, // a network
  /^(?<host>[^[\]]*:[^[\]]*:[^[\]]*)$/, // bare IPv6
  /^(?<host>[^:[\]]*)(?::(?<ports>.*))?$/, // a name or IPv4
];

const HINT =
  'give host:port, *.suffix:port, an address or a CIDR, with ports as 443, 8000-8100 or 80+443; IPv6 in brackets';

/**
 * Reads one rule: `example.com:443`, `*.example.com:80+443`, `10.0.0.0/8`, `192.168.1.7:8000-8100`,
 * `[2001:db8::1]:22`, `[2001:db8::]/32:443`, `*:8443` (every host). Without ports: every port.
 * @throws NwsError `bad_config` that says what is wrong with it.
 */
export function parseRule(text: string): Rule {
  const rule = text.trim();
  const form = FORMS.find((pattern) => pattern.test(rule));
  if (form === undefined) throw bad(rule, 'has brackets in odd places');
  const { host = '', bits = '', ports } = form.exec(rule)?.groups ?? {};
  return {
    text: rule,
    subject: subjectOf(host + bits, rule),
    ports: ports === undefined ? [] : ports.split('+').map((range) => portRange(range, rule)),
  };
}

/** Whether a rule is about this name and port; `*` is about addresses that were asked for, too. */
export function matchesHost({ subject, ports }: Rule, host: string, port: number): boolean {
  if (!includesPort(ports, port)) return false;
  if (subject.kind === 'any') return true;
  if (subject.kind === 'name') return subject.name === host;
  return subject.kind === 'suffix' && host.endsWith(subject.suffix);
}

/** Whether a rule names an address and port: as that address or as part of a network. */
export function matchesAddress(
  { subject, ports }: Rule,
  address: AddressBytes,
  port: number,
): boolean {
  return (
    subject.kind === 'network' && includesPort(ports, port) && covers(subject.network, address)
  );
}

/** Whether a rule is about this port. */
export function includesPort(ports: readonly PortRange[], port: number): boolean {
  return ports.length === 0 || ports.some(({ from, to }) => from <= port && port <= to);
}

function subjectOf(host: string, rule: string): Subject {
  if (host === '*') return { kind: 'any' };
  if (host.includes('/')) {
    const network = parseNetwork(host);
    if (network !== undefined) return { kind: 'network', network };
    throw bad(rule, 'is not a network: bits beyond its prefix have to be 0');
  }
  const address = parseAddress(host);
  if (address !== undefined) return { kind: 'network', network: hostNetwork(address) };
  const isSuffix = host.startsWith('*.');
  const name = parseName(isSuffix ? host.slice(2) : host);
  if (name === undefined) throw bad(rule, 'names no host: letters, digits, dots and hyphens');
  return isSuffix ? { kind: 'suffix', suffix: `.${name}` } : { kind: 'name', name };
}

function portRange(text: string, rule: string): PortRange {
  const [first = '', last = first, ...rest] = text.split('-');
  const from = parsePort(first);
  const to = parsePort(last);
  if (from === undefined || to === undefined || from > to || rest.length > 0) {
    throw bad(rule, `has no port between 1 and 65535, and no range of them, in "${text}"`);
  }
  return { from, to };
}

function bad(rule: string, what: string): NwsError {
  return new NwsError('bad_config', `rule "${rule}" ${what}`, { hint: HINT });
}
