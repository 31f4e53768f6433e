// `nws doctor`: is all well on the way from here to a host, and if not, where not?

import { baseConfig, type ProxyConfig, proxyConfig } from '../../config/config.js';
import type { Sources } from '../../config/env.js';
import { type NwsError, toNwsError } from '../../errors.js';
import type { DecodedHost, HostResolver } from '../../proxy/resolve.js';
import type { CommandBody } from '../command.js';
import { type Finding, failed, type Patient, type Status } from '../doctor/check.js';
import { examine } from '../doctor/doctor.js';
import { examples, options } from '../help.js';
import { type Flags, type Io, makeHome, openLog, sourcesOf } from '../io.js';
import { givenHost } from '../lookup/host.js';
import { withLookup } from '../lookup/lookup.js';
import { type Waiting, waitingLine } from '../waiting.js';

const MARKS: Readonly<Record<Status, string>> = { ok: '✓', note: '!', failed: '✗', skipped: '-' };

export const doctorCommand = (io: Io): CommandBody => ({
  builder: (yargs) =>
    yargs
      .options(options('relay', 'alias', 'public-address', 'reverse-listen', 'reverse-tls'))
      .options(options('direct', 'direct-exit', 'direct-address', 'direct-listen'))
      .options(options('direct-local', 'stun'))
      .options(options('key', 'key-file', 'home', 'log-level', 'log-format', 'json'))
      .epilogue(
        examples(
          ['settings, clock, and the relays that are set', 'nws doctor'],
          ['all the way to a host', 'nws doctor <name>.nostr'],
          ['a relay that you think of using', 'nws doctor --relay wss://relay.example'],
          ['in a script; the status is 0 only if all holds', 'nws doctor shop --json'],
          [
            'can exits reach the port for connections past the relays?',
            'nws doctor <name>.nostr --public-address entry.example:8883',
          ],
          [
            'is there a direct path to an exit, and if not, what stands in the way?',
            'nws doctor <name>.nostr --direct --stun stun.example:3478',
          ],
        ),
      ),
  handler: async (flags) => {
    const sources = await sourcesOf(io, flags);
    const findings: Finding[] = [];
    const waiting = waitingLine(io, flags);
    const tell = (finding: Finding): void => {
      findings.push(finding);
      waiting.clear();
      if (flags.json !== true) io.stdout.write(`${lineOf(finding)}\n`);
    };
    const config = usable(sources, tell);
    if (config === undefined) io.exitStatus = 2;
    else await examineAll(io, { flags, sources, config, waiting, tell });
    conclude(io, flags, findings);
  },
});

/** The settings; where they can't be used, that is the first finding, and the last. */
function usable(sources: Sources, tell: (finding: Finding) => void): ProxyConfig | undefined {
  try {
    // Its own log would say the same things again.
    const { logLevel } = baseConfig(sources, 'silent');
    return { ...proxyConfig(sources), logLevel };
  } catch (error) {
    tell(failed('settings', toNwsError(error)));
    return undefined;
  }
}

interface Examination {
  readonly flags: Flags;
  readonly sources: Sources;
  readonly config: ProxyConfig;
  readonly waiting: Waiting;
  tell(finding: Finding): void;
}

async function examineAll(io: Io, examination: Examination): Promise<void> {
  const { flags, sources, config, waiting, tell } = examination;
  const log = openLog(io, config, waiting.stderr);
  await makeHome(config.home);
  const given = flags.host === undefined ? undefined : String(flags.host);
  await withLookup(sources, config, log, async ({ pool, resolver }) => {
    const decoded = given === undefined ? undefined : await decode(given, resolver, sources);
    const named = decoded !== undefined && 'relays' in decoded ? decoded.relays : [];
    const relays = [...new Set([...config.relays, ...named])];
    const patient: Patient = { sources, config, log, pool, resolver, given, decoded, relays };
    for await (const finding of examine(patient, waiting.show)) tell(finding);
  });
  waiting.clear();
}

async function decode(
  given: string,
  resolver: HostResolver,
  sources: Sources,
): Promise<DecodedHost | NwsError> {
  try {
    return resolver.decode((await givenHost(given, sources)).host);
  } catch (error) {
    return toNwsError(error);
  }
}

function lineOf({ check, subject, status, found, hint }: Finding): string {
  const what = subject === undefined ? found : `${subject}: ${found}`;
  const advice = hint === undefined ? '' : ` → ${hint}`;
  return `${MARKS[status]} ${check.padEnd(11)} ${what}${advice}`;
}

function conclude(io: Io, flags: Flags, findings: readonly Finding[]): void {
  const bad = findings.filter(({ status }) => status === 'failed').length;
  if (bad > 0) io.exitStatus ||= 1;
  const ok = bad === 0;
  const { host } = flags;
  if (flags.json === true) {
    io.stdout.write(`${JSON.stringify({ ok, host, checks: findings })}\n`);
  } else {
    const open = findings.filter(({ status }) => status === 'skipped').length;
    const isNoted = findings.some(({ status }) => status === 'note');
    const whole = isNoted ? 'all holds; ! marks what is worth knowing' : 'all is well';
    const well = open > 0 ? `nothing failed, ${open} not checked` : whole;
    const verdict = ok ? well : `${bad} of ${findings.length} checks failed`;
    const more = host === undefined && ok ? '; nws doctor HOST checks the way to a host' : '';
    io.stdout.write(`\n${verdict}${more}\n`);
  }
}
