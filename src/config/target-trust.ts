// How an exit recognises an https target whose certificate this machine's CAs don't vouch for: settings to parts.

import type { Target } from '../exit/targets/target.js';
import { badSetting, type Settings } from './env.js';

export interface TargetTrustConfig {
  /** Absolute path of a PEM file. */
  readonly caFile?: string | undefined;
  readonly name?: string | undefined;
  /** Lower-case hex. */
  readonly fingerprint?: string | undefined;
}

/** @throws NwsError `bad_config` for a fingerprint that is none, and where the target isn't https. */
export function targetTrust(
  settings: Settings,
  target: Target | undefined,
): TargetTrustConfig | undefined {
  const caFile = settings.path({ flag: 'target-ca', variable: 'NWS_TARGET_CA' });
  const name = settings.text({ flag: 'target-name', variable: 'NWS_TARGET_NAME' })?.text;
  const setting = settings.text({
    flag: 'target-fingerprint',
    variable: 'NWS_TARGET_FINGERPRINT',
  });
  const fingerprint = setting?.text.replaceAll(':', '').toLowerCase();
  if (setting !== undefined && !/^[0-9a-f]{64}$/.test(fingerprint ?? '')) {
    const hint = 'give 64 hex digits; `openssl x509 -noout -fingerprint -sha256` prints them';
    throw badSetting(`${setting.origin} is not a SHA-256`, hint);
  }
  if (caFile === undefined && name === undefined && fingerprint === undefined) return undefined;
  if (target?.kind === 'https') return Object.freeze({ caFile, name, fingerprint });
  throw badSetting(
    '--target-ca, --target-name and --target-fingerprint are for https targets',
    'give --target https://…, or leave them out',
  );
}
