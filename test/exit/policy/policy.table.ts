// Which addresses a public exit may dial and which not, one case a line with the reason that it is there.
// The first and last address of each special network, their neighbours outside, and every disguise.

/** A case: the text, and what is special about it. */
export type Case = readonly [text: string, why: string];

/** `text — why` on each line. */
export function cases(lines: string): Case[] {
  return lines
    .trim()
    .split('\n')
    .map((line) => {
      const [text = '', why = ''] = line.split(' — ');
      return [text.trim(), why.trim()];
    });
}

/** What this machine is said to have: loopback, a private network, public addresses, and a tunnel. */
export const OWN_ADDRESSES = [
  ...['127.0.0.1/8', '::1/128', '10.20.30.40/24', 'fe80::5054:ff:fe12:3456/64'],
  ...['93.184.215.14/28', '2a00:1450:4001:82a::200e/64', '51.15.0.9'],
];

export const CLOSED_ADDRESSES = cases(`
  0.0.0.0 — unspecified, which Linux takes for loopback
  0.0.0.1 — this network
  0.255.255.255 — this network, last
  10.0.0.0 — private, first
  10.0.0.1 — private, the usual router
  10.255.255.255 — private, last
  100.64.0.0 — carrier-grade NAT, first
  100.100.100.200 — metadata of Alibaba Cloud, within carrier-grade NAT
  100.127.255.255 — carrier-grade NAT, last
  127.0.0.0 — loopback, first
  127.0.0.1 — loopback
  127.0.0.53 — loopback, a resolver
  127.1.2.3 — loopback, one of many
  127.255.255.255 — loopback, last
  168.63.129.16 — the host of a virtual machine at Azure, in public space
  169.254.0.0 — link-local, first
  169.254.169.254 — metadata of most clouds
  169.254.170.2 — credentials of containers at AWS
  169.254.255.255 — link-local, last
  172.16.0.0 — private, first
  172.17.0.1 — private, a bridge for containers
  172.31.255.255 — private, last
  192.0.0.0 — protocol assignments, first
  192.0.0.1 — DS-Lite
  192.0.0.8 — dummy address
  192.0.0.9 — PCP anycast: the nearest router
  192.0.0.10 — TURN anycast
  192.0.0.170 — discovery of NAT64
  192.0.0.192 — metadata of Oracle Cloud
  192.0.0.255 — protocol assignments, last
  192.0.2.0 — documentation, first
  192.0.2.255 — documentation, last
  192.31.196.1 — AS112 anycast
  192.52.193.1 — AMT anycast
  192.88.99.1 — 6to4 relay anycast
  192.168.0.0 — private, first
  192.168.1.1 — private, the usual router
  192.168.255.255 — private, last
  192.175.48.1 — AS112 anycast
  198.18.0.0 — benchmarking, first
  198.19.255.255 — benchmarking, last
  198.51.100.7 — documentation
  203.0.113.7 — documentation
  224.0.0.0 — multicast, first
  224.0.0.251 — multicast DNS
  239.255.255.250 — multicast, SSDP
  239.255.255.255 — multicast, last
  240.0.0.0 — reserved, first
  250.1.2.3 — reserved
  255.255.255.254 — reserved, last
  255.255.255.255 — broadcast
  93.184.215.14 — this machine's own public address
  93.184.215.0 — first of this machine's own public network
  93.184.215.15 — last of this machine's own public network
  51.15.0.9 — another own address, without a network
  10.20.30.40 — own private address
  :: — unspecified
  ::1 — loopback
  0:0:0:0:0:0:0:1 — loopback, written out
  ::2 — reserved
  ::ffff — reserved
  ::7f00:1 — IPv4-compatible loopback
  ::127.0.0.1 — IPv4-compatible loopback, dotted
  ::10.0.0.1 — IPv4-compatible private
  ::8.8.8.8 — IPv4-compatible public: deprecated, a tunnel
  ::ffff:127.0.0.1 — IPv4-mapped loopback
  ::ffff:7f00:1 — IPv4-mapped loopback, hex
  0:0:0:0:0:ffff:127.0.0.1 — IPv4-mapped loopback, written out
  ::FFFF:10.0.0.1 — IPv4-mapped private, upper case
  ::ffff:a9fe:a9fe — IPv4-mapped metadata
  ::ffff:0.0.0.0 — IPv4-mapped unspecified
  ::ffff:93.184.215.14 — IPv4-mapped own public address
  ::ffff:0:127.0.0.1 — SIIT loopback
  ::ffff:0:8.8.8.8 — SIIT public
  64:ff9b::127.0.0.1 — NAT64 loopback
  64:ff9b::7f00:1 — NAT64 loopback, hex
  64:ff9b::10.0.0.1 — NAT64 private
  64:ff9b::100.64.0.1 — NAT64 carrier-grade NAT
  64:ff9b::192.168.1.1 — NAT64 private
  64:ff9b::169.254.169.254 — NAT64 metadata
  64:ff9b::255.255.255.255 — NAT64 broadcast
  64:ff9b::51.15.0.9 — NAT64 own public address
  64:ff9b:1::10.0.0.1 — local NAT64 private
  64:ff9b:1::8.8.8.8 — local NAT64 public
  64:ff9b:1:ffff:ffff:ffff:ffff:ffff — local NAT64, last
  64:ff9b:2::8.8.8.8 — beside the NAT64 prefixes: reserved
  100:: — discard, first
  100::ffff:ffff:ffff:ffff — discard, last
  100:0:0:1::1 — dummy prefix
  200::1 — reserved, once OSI
  400::1 — reserved
  1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff — last before global unicast
  2001::1 — Teredo
  2001:0:a00:1::1 — Teredo, server private
  2001:0:808:808:0:0:80ff:fffe — Teredo, client 127.0.0.1
  2001:1::1 — PCP anycast
  2001:1::2 — TURN anycast
  2001:1::3 — anycast of service discovery
  2001:2::1 — benchmarking
  2001:3::1 — AMT anycast
  2001:4:112::1 — AS112 anycast
  2001:10::1 — ORCHID
  2001:20::1 — ORCHIDv2
  2001:30::1 — identities of drones
  2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff — protocol assignments, last
  2001:db8:: — documentation, first
  2001:DB8:0:0::1 — documentation, upper case
  2001:db8:ffff:ffff:ffff:ffff:ffff:ffff — documentation, last
  2002:7f00:1:: — 6to4 loopback
  2002:a00:1::1 — 6to4 private
  2002:a9fe:a9fe::1 — 6to4 metadata
  2002:c0a8:101::1 — 6to4 private
  2002:808:808::1 — 6to4 public: deprecated, a tunnel
  2620:4f:8000::42 — AS112 anycast
  2607:f8b0::5efe:10.0.0.1 — ISATAP private
  2607:f8b0::200:5efe:127.0.0.1 — ISATAP loopback, universal bit set
  3fff::1 — documentation, newer
  3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff — documentation, newer, last
  4000::1 — first after global unicast
  5f00::1 — segment identifiers
  8000::1 — reserved
  fbff::1 — last before unique local
  fc00::1 — unique local, first
  fd00::1 — unique local
  fd00:ec2::254 — metadata of AWS
  fd20:ce::254 — metadata of Google Cloud
  fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff — unique local, last
  fe00::1 — reserved
  fe80::1 — link-local
  fe80::a9fe:a9fe — link-local, metadata
  febf::1 — link-local, last
  fec0::1 — site-local
  feff::1 — site-local, last
  ff00:: — multicast, first
  ff02::1 — multicast, all nodes
  ff05::1:3 — multicast, DHCP
  ff0e::1 — multicast, global scope
  2a00:1450:4001:82a::200e — own public address
  2a00:1450:4001:82a::1 — a neighbour in the own network
  2A00:1450:4001:082A:FFFF:FFFF:FFFF:FFFF — a neighbour, last, upper case
`);

/** What a resolver must not give, or a client must not ask for, whatever the rules: not plainly addresses. */
export const NO_ADDRESSES = cases(`
  fe80::1%eth0 — a zone
  fe80::1%1 — a zone by number
  ::1%lo — a zone on loopback
  2606:4700::1111%eth0 — a zone on a public address
  ::ffff:127.0.0.1%lo — a zone on a mapped address
  127.1 — short
  2130706433 — one decimal number
  0x7f000001 — one hexadecimal number
  0177.0.0.1 — octal
  08.8.8.8 — a zero in front
  8.8.8.8. — a dot behind
  [::1] — brackets
  1.2.3 — three parts
  1.2.3.4.5 — five parts
  256.1.1.1 — over 255
  8.8.8.8/32 — a network
  ::ffff:1.2.3 — half a mapped address
  1::2::3 — two gaps
  12345::1 — a group too long
  localhost — a name
`);

export const OPEN_ADDRESSES = cases(`
  1.1.1.1 — a resolver
  8.8.8.8 — a resolver
  1.0.0.0 — after this network
  9.255.255.255 — before private
  11.0.0.0 — after private
  100.63.255.255 — before carrier-grade NAT
  100.128.0.0 — after carrier-grade NAT
  126.255.255.255 — before loopback
  128.0.0.1 — after loopback
  168.63.129.15 — beside the host of Azure
  169.253.255.255 — before link-local
  169.255.0.0 — after link-local
  172.15.255.255 — before private
  172.32.0.0 — after private
  191.255.255.255 — before protocol assignments
  192.0.1.0 — after protocol assignments
  192.0.3.0 — after documentation
  192.167.255.255 — before private
  192.169.0.0 — after private
  198.17.255.255 — before benchmarking
  198.20.0.0 — after benchmarking
  203.0.112.255 — before documentation
  203.0.114.0 — after documentation
  223.255.255.255 — before multicast
  93.184.215.16 — beside the own network
  51.15.0.10 — beside the own address
  ::ffff:8.8.8.8 — IPv4-mapped public, which the system dials as IPv4
  64:ff9b::8.8.8.8 — NAT64 public: how a network without IPv4 gets there
  2000::1 — global unicast, first
  2001:200::1 — after protocol assignments
  2001:4860:4860::8888 — a resolver
  2001:db7:ffff::1 — before documentation
  2001:db9::1 — after documentation
  2003::1 — after 6to4
  2606:4700:4700::1111 — a resolver
  2607:f8b0::5efe:8.8.8.8 — ISATAP public
  2620:4f:7fff::1 — before AS112
  2a00:1450:4001:82b::1 — beside the own network
  3ffe:ffff::1 — before documentation
  3fff:1000::1 — after documentation
`);
