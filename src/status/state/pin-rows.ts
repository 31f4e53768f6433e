// Pins as rows: who signed, since when, and how often the certificate has changed.

import { X509Certificate } from 'node:crypto';
import type { Pin, PinHistory } from '../../tls/pins/pin.js';
import { npubOf } from './npubs.js';
import type { PinRow } from './report.js';

export function pinRow(pin: Pin & { readonly history?: PinHistory | undefined }): PinRow {
  const { pubkey, fingerprints, certificates, createdAt, expiredAtBirth, history } = pin;
  const { since = createdAt, changes = 0, changedAt } = history ?? {};
  return {
    pubkey,
    npub: npubOf(pubkey),
    fingerprint: fingerprints[0]!,
    successors: fingerprints.length - 1,
    signedAt: createdAt * 1_000,
    since: since * 1_000,
    changes,
    changedAt: changedAt === undefined ? undefined : changedAt * 1_000,
    notAfter: expiredAtBirth ? undefined : certificates[0]!.notAfter.getTime(),
  };
}

/** The certificate that an exit shows itself. @param publishedAt Unix ms */
export function ownPinRow(
  { cert, fingerprint }: { readonly cert: string; readonly fingerprint: string },
  pubkey: string,
  publishedAt: number,
): PinRow {
  const { validFrom, validTo } = new X509Certificate(cert);
  return {
    ...{ pubkey, npub: npubOf(pubkey), fingerprint, successors: 0, changes: 0 },
    signedAt: publishedAt,
    since: Date.parse(validFrom),
    notAfter: Date.parse(validTo),
  };
}
