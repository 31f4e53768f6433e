// The command line itself: help with worked examples, and one clear line for every mistake.

import { expect } from 'chai';
import { run, useTempFolder } from './harness.js';

const COMMANDS =
  'proxy exit run demo relay resolve name alias cert ca discover doctor keygen completion'.split(
    ' ',
  );
const NPUB = 'npub180cvv07tjdrrgpa0j7j7tmnyl2yr6yr7l8j4s3evf6u64th6gkwsyjh6w6';

describe('help', () => {
  const folder = useTempFolder();

  it('lists every command', async () => {
    const { status, stdout } = await run(folder.path, ['--help']);
    expect(status).to.equal(0);
    for (const command of COMMANDS) expect(stdout).to.match(new RegExp(`^  nws ${command} `, 'm'));
  });

  for (const command of COMMANDS) {
    it(`of ${command} has worked examples`, async () => {
      const { status, stdout, stderr } = await run(folder.path, [command, '--help']);
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
      const [, examples] = stdout.split('Examples:\n');
      expect(examples)
        .to.match(/^ {2}# \w/m)
        .and.match(new RegExp(`nws ${command}\\b`));
    });

    it(`${command} --version tells the version`, async () => {
      const { status, stdout } = await run(folder.path, [command, '--version']);
      expect(status).to.equal(0);
      expect(stdout).to.match(/^\d+\.\d+\.\d+\n$/);
    });
  }
});

describe('a wrong command line', () => {
  const folder = useTempFolder();
  const cases: readonly [argv: string, message: RegExp, hint: RegExp][] = [
    ['', /a command is missing/, /nws --help/],
    ['exti', /unknown command exti/, /did you mean exit\?/],
    ['frobnicate', /unknown command frobnicate/, /nws --help/],
    ['proxy --lisen 127.0.0.1:0', /unknown option --lisen/, /did you mean --listen\?/],
    ['proxy --frobnicate', /unknown option --frobnicate/, /nws proxy --help/],
    [
      'doctor --tls terminate',
      /unknown option --tls/,
      /(?<!did you mean --tls\? )see nws doctor --help/,
    ],
    ['proxy extra', /unexpected argument extra/, /nws proxy --help/],
    ['exit --target', /--target needs a value/, /nws exit --help/],
    ['exit', /exit needs --target/, /tcp:\/\//],
    ['exit --target http://127.0.0.1:1', /needs a relay/, /--relay/],
    ['exit --relay ws://127.0.0.1:1', /exit needs --target/, /tcp:\/\//],
    [
      'proxy --listen 0.0.0.0:8882',
      /--listen may only be a loopback address/,
      /--auth.*127\.0\.0\.1/,
    ],
    ['proxy --auth secret', /--auth is not a user and a password/, /user:password/],
    ['proxy --public-address a.example', /--public-address has no port/, /entry\.example:8883/],
    ['proxy --reverse-listen :1', /--reverse-listen is of no use alone/, /--public-address/],
    ['proxy --clearnet nowhere', /--clearnet can't be nowhere/, /direct, exit or deny/],
    ['proxy --exit a.example', /--exit: .*a\.example/, /<key>\.nostr/],
    ['run --auth a:b -- true', /unknown option --auth/, /nws run --help/],
    ['exit --allow :443', /--allow: rule ":443"/, /host:port/],
    ['exit --public --relay ws://127.0.0.1:1 --client-rate fast', /--client-rate/, /from 1024/],
    ['exit --allow-client me', /--allow-client: not a public key/, /npub1/],
    ['exit --allow-clients me', /unknown option --allow-clients/, /did you mean --allow-client\?/],
    ['resolve', /an argument is missing/, /nws resolve --help/],
    ['name', /pubkey/, /nws name --help/],
    ['name --pubkey zz', /not a public key/, /npub1/],
    [`name --pubkey ${NPUB} --relay https://a.example`, /--relay.*https/, /wss:/],
    [`name --pubkey ${NPUB} --relay wss://${'a'.repeat(50)}.example`, /63 characters/, /39 bytes/],
    ['run', /run needs/, /nws run -- curl/],
    ['run curl -sS https://a.nostr/', /run needs -- before the command/, /nws run -- curl/],
    ['run --', /run needs a command/, /nws run -- curl/],
    ['--json', /./, /nws --help/],
    // Malformed names, each kind.
    ['resolve example.com', /not a \.nostr name/, /nws name/],
    ['resolve foo.nostr', /"foo" is not a public key/, /nws name/],
    [`resolve ${'v'.repeat(52)}.nostr`, /on the curve|not a public key/, /nws name/],
    [`resolve zzzz.${NPUB}.nostr`, /"zzzz" is not base32/, /nws name/],
    [`resolve d1kg.${NPUB}.nostr`, /"d1kg"/, /nws name/],
    ['resolve npub1qqqqqq', /not a public key/, /nws name/],
    ['resolve .nostr', /is not a/, /nws name/],
  ];

  for (const [line, message, hint] of cases) {
    it(`gets one line, a hint and status 2: nws ${line}`, async () => {
      const argv = line.split(' ').filter((word) => word !== '');
      const { status, stdout, stderr } = await run(folder.path, argv);
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
      const lines = stderr.trimEnd().split('\n');
      expect(lines).to.have.length(2);
      expect(lines[0])
        .to.match(/^nws: /)
        .and.match(message);
      expect(lines[1])
        .to.match(/^hint: /)
        .and.match(hint);
    });
  }

  it('never repeats a secret key that was typed in the wrong place', async () => {
    const nsec = `nsec1${'q'.repeat(58)}`;
    for (const argv of [['exit', nsec], [nsec], ['resolve', nsec], ['name', '--pubkey', nsec]]) {
      const { status, stderr } = await run(folder.path, argv);
      expect(status).to.equal(2);
      expect(stderr).to.not.include('qqqqqqqq');
    }
  });
});
