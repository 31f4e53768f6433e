// What a public exit must not even resolve: other spellings of addresses, names for local use, and garbage.

import { cases } from './policy.table.js';

/** Refused as it is asked for: without a look at a name server. */
export const CLOSED_DESTINATIONS = cases(`
  localhost:80 — this machine
  LocalHost:443 — this machine, in capitals
  localhost.:80 — this machine, with the dot of a full name
  www.localhost:80 — under localhost
  localhost.localdomain:80 — this machine, in hosts files
  router:80 — a single label, which a search list completes
  metadata:80 — a single label
  metadata.google.internal:80 — metadata by name
  METADATA.GOOGLE.INTERNAL.:80 — metadata by name, disguised
  instance-data.ec2.internal:80 — metadata by name
  nas.local:443 — multicast DNS
  router.lan:80 — local network
  fritz.home:80 — local network
  hub.home.arpa:443 — local network
  git.corp:443 — local network
  wiki.intranet:443 — local network
  box.private:443 — local network
  unit.test:80 — for tests
  duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion:443 — Tor
  sub.name.onion.:80 — Tor
  somebody.nostr:443 — not a name of this exit
  x.alt:80 — outside of the DNS
  x.invalid:80 — never a name
  2130706433:80 — decimal loopback
  0x7f000001:80 — hexadecimal loopback
  0X7F000001:80 — hexadecimal loopback, in capitals
  017700000001:80 — octal loopback
  127.1:80 — short loopback
  127.0.1:80 — short loopback
  0177.0.0.1:80 — octal loopback
  0x7f.0.0.1:80 — hexadecimal part
  0x7f.1:80 — hexadecimal and short
  127.0.0.0x1:80 — hexadecimal at the end
  127.0.0.01:80 — a zero in front
  127.000.000.001:80 — zeros in front
  0x:80 — hexadecimal nothing, which is 0
  0:80 — short for unspecified
  127.0.0.1.:80 — a dot behind
  2852039166:80 — decimal metadata
  0xa9fea9fe:80 — hexadecimal metadata
  8.8.8.8.:443 — a dot behind a public address
  256.256.256.256:80 — no address
  1.2.3.4.5:80 — five parts
  example.0x7f:80 — a name that ends in a number
  example.123:80 — a name that ends in a number
  [::1]:80 — loopback
  [::1%lo]:80 — loopback with a zone
  [fe80::1%25eth0]:80 — a zone as in a URL
  [fe80::1%eth0]:80 — a zone
  [::ffff:127.0.0.1]:80 — mapped loopback
  [127.0.0.1]:80 — IPv4 in brackets
  [8.8.8.8]:80 — public IPv4 in brackets
  [example.com]:80 — a name in brackets
  [v1.x]:80 — an address of the future
  [[2606:4700::1]]:80 — brackets twice
  [2606:4700::1:80 — half a bracket
  2606:4700::1111:80 — no brackets
  ::1:80 — no brackets
  example.com — no port
  example.com: — empty port
  example.com:0 — port 0
  example.com:00000 — port 0
  example.com:65536 — over the last port
  example.com:99999 — over the last port
  example.com:443443 — six digits
  example.com:-80 — negative port
  example.com:+80 — a sign
  example.com:0x50 — hexadecimal port
  example.com:http — port by name
  example.com:80:80 — two ports
  example.com:80/ — a path
  http://example.com:80 — a URL
  user@example.com:80 — user information
  :80 — no host
  .:80 — the root
  ..:80 — empty labels
  .example.com:80 — empty label in front
  example..com:80 — empty label within
  example.com..:80 — two dots behind
  -example.com:80 — a hyphen in front
  example-.com:80 — a hyphen behind
  exa mple.com:80 — a space
  example.com%00:80 — an escape
  ex*mple.com:80 — a star
  bücher.example:80 — not ASCII
  ｅxample.com:80 — a wide letter
  127。0。0。1:80 — wide dots
  ①②⑦.⓪.⓪.①:80 — digits in circles
  example.com\\t:80 — a backslash
  ${'a'.repeat(64)}.com:80 — a label of 64 characters
  ${'a.'.repeat(126)}com:80 — a name of 255 characters
  example.com:22 — a port that isn't the web's
  example.com:8080 — a port that isn't the web's
  example.com:25 — mail
  8.8.8.8:53 — a port that isn't the web's
  [2606:4700:4700::1111]:853 — a port that isn't the web's
`);
