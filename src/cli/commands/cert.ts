// `nws cert HOST`: the certificate that an exit's key signed, and whether the exit serves it.

import { ownProxyConfig } from '../../config/config.js';
import { encodeNpub } from '../../protocol/names/address.js';
import type { Pin } from '../../tls/pins/pins.js';
import type { CommandBody } from '../command.js';
import { examples, options } from '../help.js';
import { type Io, makeHome, openLog, print, sourcesOf } from '../io.js';
import { checkServed } from '../lookup/check.js';
import { givenHost } from '../lookup/host.js';
import { fetchPin, withLookup } from '../lookup/lookup.js';
import { upstreamOf } from '../upstream.js';
import { waitingLine } from '../waiting.js';

export const certCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('pem', 'check', 'relay', 'alias', 'home', 'log-level', 'log-format', 'json'))
      .epilogue(
        examples(
          ['who signed it, fingerprint, dates', 'nws cert <name>.nostr'],
          ['is it what the exit serves?', 'nws cert <name>.nostr --check'],
          ['what to trust behind --tls passthrough', 'nws cert <name>.nostr --pem > exit.pem'],
        ),
      ),
  handler: async (flags) => {
    const sources = await sourcesOf(io, flags);
    const config = ownProxyConfig(sources);
    const waiting = waitingLine(io, flags);
    const log = openLog(io, config, waiting.stderr);
    await makeHome(config.home);
    const { host } = await givenHost(String(flags.host), sources);
    const { to, pin } = await waiting.during("the certificate that the exit's key signed", () =>
      withLookup(sources, config, log, async (lookup) => {
        const to = await lookup.resolver.resolve(host);
        return { to, pin: await fetchPin(lookup, to, config.home, log) };
      }),
    );
    if (flags.check === true) {
      const options = { ...config, log, agentFor: upstreamOf(sources) };
      await waiting.during('a handshake with the exit', () => checkServed(options, to.host, pin));
    }
    if (flags.pem === true) return void io.stdout.write(`${pin.pem.trimEnd()}\n`);
    const result = describe(to.host, pin, flags.check === true);
    const text = `${toText(result)}\nrelays       ${to.relays.join(' ')}`;
    print(io, flags, { ...result, relays: to.relays }, text);
  },
});

type Described = ReturnType<typeof describe>;

function describe(host: string, pin: Pin, isServed: boolean) {
  return {
    host,
    signedBy: pin.pubkey,
    npub: encodeNpub(pin.pubkey),
    eventId: pin.eventId,
    createdAt: new Date(pin.createdAt * 1000).toISOString(),
    reliableStreams: pin.reliable,
    certificates: pin.certificates.map(({ fingerprint, notBefore, notAfter, expiredAtBirth }) => ({
      fingerprint,
      notBefore: notBefore.toISOString(),
      notAfter: notAfter.toISOString(),
      expiredAtBirth,
    })),
    ...(isServed && { served: true }),
  };
}

function toText(cert: Described): string {
  const certificates = cert.certificates.map(
    ({ fingerprint, notBefore, notAfter, expiredAtBirth }) =>
      `fingerprint  ${fingerprint}\nvalid        ${
        expiredAtBirth
          ? 'by the signature alone, its dates are void'
          : `${notBefore} to ${notAfter}`
      }`,
  );
  return [
    `signed by    ${cert.npub}`,
    `event        ${cert.eventId} of ${cert.createdAt}`,
    ...certificates,
    ...(cert.served ? ['served       yes: the exit presents this certificate'] : []),
  ].join('\n');
}
