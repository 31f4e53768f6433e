// The operator's rules: how they are read, what they match, and how allow, deny and --public combine.

import { expect } from 'chai';
import { Policy } from '../../../src/exit/policy/policy.js';
import { parseRule } from '../../../src/exit/policy/rules.js';
import { expectError } from '../../support/expect-error.js';
import { OWN_ADDRESSES } from './policy.table.js';

/** Rules such as `public; allow a:1; deny b`, and destinations with what they resolve to: `name=address:port`. */
interface Scenario {
  readonly rules: string;
  readonly open: readonly string[];
  readonly closed: readonly string[];
}

const SCENARIOS: readonly Scenario[] = [
  {
    rules: 'allow git.example.com:22',
    open: [
      'git.example.com=8.8.8.8:22',
      'GIT.example.com.=8.8.8.8:22',
      'git.example.com=2606:4700::1:22',
    ],
    closed: [
      ...[
        'git.example.com=8.8.8.8:23',
        'www.example.com=8.8.8.8:22',
        'xgit.example.com=8.8.8.8:22',
      ],
      ...[
        'a.git.example.com=8.8.8.8:22',
        'git.example.com.evil.net=8.8.8.8:22',
        '8.8.8.8=8.8.8.8:22',
      ],
      // A name alone leads to nothing inside, whatever its DNS says.
      ...['git.example.com=10.0.0.5:22', 'git.example.com=127.0.0.1:22', 'git.example.com=::1:22'],
      ...['git.example.com=169.254.169.254:22', 'git.example.com=93.184.215.14:22'],
      ...['git.example.com=::ffff:10.0.0.5:22', 'git.example.com=64:ff9b::a00:5:22'],
    ],
  },
  {
    rules: 'allow *.example.com:80+8000-8010',
    open: [
      'a.example.com=8.8.8.8:80',
      'a.b.example.com=8.8.8.8:8000',
      'a.example.com=8.8.8.8:8010',
    ],
    closed: [
      ...['example.com=8.8.8.8:80', 'badexample.com=8.8.8.8:80', 'a.example.com=8.8.8.8:7999'],
      ...['a.example.com=8.8.8.8:8011', 'a.example.com=8.8.8.8:81', 'a.example.com=192.168.0.1:80'],
    ],
  },
  {
    rules: 'allow intranet.example:443; allow 10.0.0.5:443',
    open: ['intranet.example=10.0.0.5:443', '10.0.0.5=10.0.0.5:443', 'other.example=10.0.0.5:443'],
    closed: [
      'intranet.example=10.0.0.6:443',
      'intranet.example=10.0.0.5:80',
      '10.0.0.4=10.0.0.4:443',
    ],
  },
  {
    rules: 'allow db.internal:5432; allow nas:445; allow *.lan; allow 10.0.0.0/8',
    open: ['db.internal=10.1.2.3:5432', 'nas=10.0.0.9:445', 'a.b.lan=10.0.0.1:9'],
    closed: ['www.internal=10.1.2.3:5432', 'db.internal=10.1.2.3:5433', 'nas2=10.0.0.9:445'],
  },
  {
    rules: 'allow 127.0.0.1:3000; allow [::1]:3000; allow localhost:3000',
    open: ['127.0.0.1=127.0.0.1:3000', 'localhost=::1:3000', 'localhost=127.0.0.1:3000'],
    closed: ['127.0.0.1=127.0.0.1:3001', '127.0.0.2=127.0.0.2:3000', 'localhost=127.0.0.1:80'],
  },
  {
    rules: 'allow 10.0.0.0/8; deny 10.0.0.0/24; deny 10.9.0.1:22',
    open: [
      '10.1.0.1=10.1.0.1:22',
      '10.0.1.0=10.0.1.0:1',
      '10.9.0.1=10.9.0.1:23',
      'a.example=10.255.0.1:65535',
    ],
    closed: [
      ...['10.0.0.1=10.0.0.1:22', '10.0.0.255=10.0.0.255:80', '10.9.0.1=10.9.0.1:22'],
      ...['11.0.0.1=11.0.0.1:80', '::ffff:10.0.0.1=::ffff:10.0.0.1:22', 'a.example=10.0.0.77:80'],
    ],
  },
  {
    rules: 'public; deny *.ads.example; deny tracker.example:443; deny 1.2.3.0/24; deny *:80',
    open: ['www.example=8.8.8.8:443', 'ads.example=8.8.8.8:443', '1.2.4.0=1.2.4.0:443'],
    closed: [
      ...[
        'x.ads.example=8.8.8.8:443',
        'tracker.example=8.8.8.8:443',
        'TRACKER.example.=8.8.8.8:443',
      ],
      ...['www.example=1.2.3.4:443', '1.2.3.255=1.2.3.255:443', 'www.example=::ffff:1.2.3.4:443'],
      ...['www.example=64:ff9b::1.2.3.4:443', 'www.example=8.8.8.8:80', '8.8.8.8=8.8.8.8:80'],
    ],
  },
  {
    rules: 'public; allow www.example; deny www.example',
    open: ['a.www.example=8.8.8.8:443'],
    closed: ['www.example=8.8.8.8:443', 'www.example=8.8.8.8:22'],
  },
  {
    rules: 'public; allow 93.184.215.14:443',
    open: ['93.184.215.14=93.184.215.14:443', 'me.example=93.184.215.14:443'],
    closed: ['93.184.215.14=93.184.215.14:80', '93.184.215.13=93.184.215.13:443'],
  },
  {
    rules: 'allow *:8443',
    open: ['any.example=8.8.8.8:8443', '8.8.8.8=8.8.8.8:8443', '2606:4700::1=2606:4700::1:8443'],
    closed: [
      'any.example=10.0.0.1:8443',
      'any.example=8.8.8.8:443',
      'router=8.8.8.8:8443',
      '127.0.0.1=127.0.0.1:8443',
    ],
  },
  {
    rules: 'allow 64:ff9b:1::/48; allow fd00::/8; allow 2002::/16; deny ::/0:25',
    open: ['fd00::1=fd00::1:80', 'fdff::1=fdff::1:65535'],
    closed: [
      // The IPv4 address behind has to be open, too, and here no rule names one.
      ...['64:ff9b:1::a00:1=64:ff9b:1::a00:1:80', '2002:a00:1::1=2002:a00:1::1:80'],
      '64:ff9b:1::808:808=64:ff9b:1::808:808:80',
      ...['fd00::1=fd00::1:25', 'fe80::1=fe80::1:80', '::1=::1:80'],
    ],
  },
  {
    rules: 'allow 64:ff9b:1::/48:80; allow 10.0.0.0/8:80',
    open: ['64:ff9b:1::a00:1=64:ff9b:1::a00:1:80', '10.0.0.1=10.0.0.1:80'],
    closed: ['64:ff9b:1::c0a8:1=64:ff9b:1::c0a8:1:80', '64:ff9b::a00:1=64:ff9b::a00:1:80'],
  },
  {
    rules: 'allow ::ffff:10.0.0.0/104; allow ::ffff:192.168.0.1',
    open: [
      '10.3.2.1=10.3.2.1:80',
      '192.168.0.1=192.168.0.1:80',
      '::ffff:10.0.0.1=::ffff:10.0.0.1:80',
    ],
    closed: ['11.0.0.1=11.0.0.1:80', '192.168.0.2=192.168.0.2:80'],
  },
  {
    rules: 'public; deny 0.0.0.0/0',
    open: ['2606:4700::1=2606:4700::1:443'],
    closed: [
      '8.8.8.8=8.8.8.8:443',
      'a.example=64:ff9b::808:808:443',
      '2002:808:808::1=2002:808:808::1:443',
    ],
  },
  {
    rules: 'allow *.onion:80; allow x.nostr:80; allow 0.0.0.0/0; allow ::/0',
    open: ['127.0.0.1=127.0.0.1:1', 'a.example=::1:80', '169.254.169.254=169.254.169.254:80'],
    closed: ['a.onion=8.8.8.8:80', 'x.nostr=8.8.8.8:80', 'localhost=127.0.0.1:80'],
  },
];

function policyOf(rules: string): Policy {
  const words = rules.split(';').map((rule) => rule.trim());
  const of = (word: string) =>
    words
      .filter((rule) => rule.startsWith(`${word} `))
      .map((rule) => parseRule(rule.split(' ')[1]!));
  const ownPubkey = 'ab'.repeat(32);
  const isPublic = words.includes('public');
  const ownAddresses = (): string[] => OWN_ADDRESSES;
  return new Policy({ ownPubkey, isPublic, allow: of('allow'), deny: of('deny'), ownAddresses });
}

/** As an exit does: the destination first, then the address that it resolved to. */
function judge(policy: Policy, text: string): void {
  const [, asked = '', address = '', digits = ''] = /^([^=]*)=(.*):(\d+)$/.exec(text) ?? [];
  const verdict = policy.judgeDestination(
    asked.includes(':') ? `[${asked}]:${digits}` : `${asked}:${digits}`,
  );
  if (verdict.kind !== 'dial') throw new Error('not to be dialled');
  policy.judgeAddress(verdict.host, address, verdict.port);
}

describe('exit/policy with rules', () => {
  for (const { rules, open, closed } of SCENARIOS) {
    describe(rules, () => {
      for (const text of open) it(`opens ${text}`, () => judge(policyOf(rules), text));
      for (const text of closed) {
        it(`keeps ${text} closed`, () => {
          expectError('destination_ip_prohibited', () => judge(policyOf(rules), text));
        });
      }
    });
  }

  it('keeps what deny names from being dialled back, and opens what allow names by address', () => {
    const policy = policyOf(
      'allow 10.0.0.0/8:7000-7999; allow home.example; deny 8.8.8.0/24; deny *:25',
    );
    policy.judgeReverse('10.0.0.1', 7000);
    policy.judgeReverse('1.1.1.1', 7000);
    for (const [address, port] of [
      ['10.0.0.1', 22],
      ['8.8.8.8', 443],
      ['1.1.1.1', 25],
    ] as const) {
      expectError('destination_ip_prohibited', () => policy.judgeReverse(address, port));
    }
    const named = policyOf('deny home.example');
    expectError('destination_ip_prohibited', () => named.judgeReverseDestination('home.example:1'));
  });
});

describe('exit/rules', () => {
  it('reads names, suffixes, addresses, networks and ports', () => {
    const read = (text: string) => {
      const { subject, ports } = parseRule(text);
      return [
        subject,
        ports.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(),
      ];
    };
    expect(read('Example.COM.:443')).to.deep.equal([{ kind: 'name', name: 'example.com' }, '443']);
    expect(read('*.Example.com')).to.deep.equal([{ kind: 'suffix', suffix: '.example.com' }, '']);
    expect(read('*:1+3-5')).to.deep.equal([{ kind: 'any' }, '1,3-5']);
    expect(read('*')).to.deep.equal([{ kind: 'any' }, '']);
    const network = (bytes: number[], bits: number) => ({
      kind: 'network',
      network: { bytes, bits },
    });
    const loopback = [...new Array<number>(15).fill(0), 1];
    expect(read('10.0.0.0/8:1-65535')).to.deep.equal([network([10, 0, 0, 0], 8), '1-65535']);
    expect(read(' 1.2.3.4 ')).to.deep.equal([network([1, 2, 3, 4], 32), '']);
    for (const text of ['::1', '[::1]', '::1/128', '[::1]/128', '[::1/128]']) {
      expect(read(text), text).to.deep.equal([network(loopback, 128), '']);
    }
    expect(read('[::1]:22')).to.deep.equal([network(loopback, 128), '22']);
    expect(read('[::1]/128:22')).to.deep.equal([network(loopback, 128), '22']);
    expect(read('::ffff:1.2.3.4')).to.deep.equal([network([1, 2, 3, 4], 32), '']);
    expect(parseRule(' a.example:1 ').text).to.equal('a.example:1');
  });

  const wrong = [
    ...['', ':', ':80', '*.', '*.:80', '**', '*.*.com', 'a.*.com', 'a*.com', '.', 'a..b', '-a.com'],
    ...['a.com:', 'a.com:0', 'a.com:65536', 'a.com:x', 'a.com:80-', 'a.com:-80', 'a.com:90-80'],
    ...['a.com:80,443', 'a.com:80+', 'a.com:1-2-3', 'a.com:*', 'a.com:80:90', 'https://a.com'],
    ...['a.com/path', '127.1', '2130706433', '0x7f.1', '0177.0.0.1', '256.1.1.1', '1.2.3.4.'],
    ...[
      '10.0.0.1/8',
      '10.0.0.0/33',
      '10.0.0.0/',
      '10.0.0.0/-1',
      '10/8',
      '10.0.0.0/8/8',
      '1.2.3.4/255.0.0.0',
    ],
    ...[
      '::1/64',
      '::/129',
      '[::1',
      '::1]',
      '[a.com]:80',
      '[1.2.3.4]:80',
      'fe80::1%eth0',
      '[fe80::1%eth0]:80',
    ],
    ...['::ffff:10.0.0.0/8', 'a.com 80', 'bücher.example', 'user@a.com', `${'a'.repeat(64)}.com`],
  ];
  for (const text of wrong) {
    it(`refuses "${text.slice(0, 40)}"`, () => {
      const error = expectError('bad_config', () => parseRule(text));
      expect(error.message).to.contain(`"${text}"`);
      expect(error.hint).to.contain('host:port');
    });
  }
});
