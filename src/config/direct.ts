// Whether direct paths are looked for, and with what help: settings to parts.

import { type HostPort, parseServer } from '../protocol/direct/servers.js';
import { exitKeys } from './access.js';
import { parseListen, parsePublic } from './addresses.js';
import { badSetting, type Setting, type Settings } from './env.js';

const DIRECT = { flag: 'direct', variable: 'NWS_DIRECT' };
const EXITS = { flag: 'direct-exit', variable: 'NWS_DIRECT_EXITS' };
const ADDRESS = { flag: 'direct-address', variable: 'NWS_DIRECT_ADDRESS' };
const LISTEN = { flag: 'direct-listen', variable: 'NWS_DIRECT_LISTEN' };
const LOCAL = { flag: 'direct-local', variable: 'NWS_DIRECT_LOCAL' };
const STUN = { flag: 'stun', variable: 'NWS_STUN' };
/** Each is asked for each attempt. */
const MAX_SERVERS = 4;
const EVERYWHERE = /^(?::|\*:)?\d+$/;

export interface DirectSettings {
  /** As the entry: the exits, by pubkey, that may learn our address; default: all. */
  readonly exits?: ReadonlySet<string>;
  /** Where this side is reached from outside. */
  readonly address?: HostPort;
  /** Without a host: on every address. */
  readonly listen?: { readonly host?: string; readonly port: number };
  /** Local addresses count. */
  readonly local: boolean;
  readonly stun: readonly HostPort[];
}

export interface DirectConfig {
  /** Absent: nobody learns our address, and nothing is sent. */
  readonly direct?: DirectSettings;
}

/**
 * @param role a proxy may choose some exits
 * @throws NwsError `bad_config` that names the flag or variable
 */
export function direct(settings: Settings, role: 'entry' | 'exit'): DirectConfig {
  const isOn = settings.toggle(DIRECT);
  const exits = role === 'entry' ? exitKeys(settings, EXITS) : new Set<string>();
  if (!isOn && exits.size === 0) {
    refuseAlone(settings, role);
    return {};
  }
  const address = settings.text(ADDRESS);
  const listen = settings.text(LISTEN);
  const servers = settings.list(STUN);
  if (servers.length > MAX_SERVERS) {
    throw badSetting(`${servers[0]!.origin} names more than ${MAX_SERVERS}`, 'two are enough');
  }
  return {
    direct: Object.freeze({
      ...(!isOn && { exits }),
      ...(address && { address: parsePublic(address) }),
      ...(listen && { listen: listenOf(listen) }),
      local: settings.toggle(LOCAL),
      stun: Object.freeze(servers.map(server)),
    }),
  };
}

/** A flag that does nothing isn't what the user meant; a variable may be there for another command. */
function refuseAlone(settings: Settings, role: 'entry' | 'exit'): void {
  const given = [ADDRESS, LISTEN, LOCAL].flatMap(({ flag }) => settings.flag(flag) ?? []);
  const [first] = [...given, ...settings.list(STUN)].filter(({ origin }) =>
    origin.startsWith('--'),
  );
  if (first === undefined) return;
  const hint = role === 'entry' ? 'add --direct, or --direct-exit <name>' : 'add --direct';
  throw badSetting(`${first.origin} is of no use alone`, hint);
}

/** A port alone is one on every address of this machine. */
function listenOf(setting: Setting): NonNullable<DirectSettings['listen']> {
  const { host, port } = parseListen(setting);
  return EVERYWHERE.test(setting.text) ? { port } : { host, port };
}

function server({ text, origin }: Setting): DirectSettings['stun'][number] {
  const found = parseServer(text);
  if (found !== undefined) return found;
  throw badSetting(`${origin} is not a STUN server: ${text}`, 'write it like stun.example:3478');
}
