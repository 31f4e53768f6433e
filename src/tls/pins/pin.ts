// What a certificate event (kind 38334) says, once it is checked: the certificates that its author serves.
// Pure but for the clock that is passed in. Keeping pins is pin-store.ts's matter, finding them pins.ts's.

import { X509Certificate } from 'node:crypto';
import type { Event as NostrEvent } from 'nostr-tools';
import { verifyEvent } from '../../crypto/signer.js';
import { NwsError } from '../../errors.js';
import {
  KIND,
  speaksReliableStreams,
  streamVersion,
  tagValue,
} from '../../protocol/wire/events.js';
import { fingerprintOf } from '../x509/x509.js';

/** Longest content of a certificate event, in characters: four certificates of RSA 4096 fit. */
export const MAX_PEM_CHARS = 16_384;
/** The current certificate and the next; two to spare. */
const MAX_CERTIFICATES = 4;
/** An event from further ahead is refused: it would outdate every honest one for that long. */
const MAX_AHEAD_S = 900;

export interface PinnedCertificate {
  /** SHA-256 of the DER, lower-case hex. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** It was never valid, as a Go exit makes them: the pin alone decides. */
  readonly expiredAtBirth: boolean;
}

export interface Pin {
  /** The exit, whose key signed the event. Lower-case hex. */
  readonly pubkey: string;
  readonly eventId: string;
  /** Of the event, in Unix seconds. */
  readonly createdAt: number;
  /** The content: one block a certificate. */
  readonly pem: string;
  /** The exit says that it speaks reliable streams. */
  readonly reliable: boolean;
  /** Up to which version of them, where that was noted. */
  readonly version?: number | undefined;
  /** The current certificate first, then those that may follow it. At least one. */
  readonly certificates: readonly PinnedCertificate[];
  readonly fingerprints: readonly string[];
  /** Of the current certificate. */
  readonly expiredAtBirth: boolean;
}

/** What has to be kept of a pin; the rest follows from the PEM. */
export interface PinRecord
  extends Pick<Pin, 'pubkey' | 'eventId' | 'createdAt' | 'pem' | 'reliable' | 'version'> {
  readonly history?: PinHistory | undefined;
}

/** What came before a pin, in Unix seconds. Nothing is decided by it. */
export interface PinHistory {
  /** When a first pin of this exit was recorded. */
  readonly since: number;
  /** How often another certificate took the place of the one before. */
  readonly changes: number;
  readonly changedAt?: number | undefined;
}

/**
 * The pin in a certificate event of `pubkey`.
 * @param nowS Unix seconds
 * @throws NwsError `pin_mismatch` that says why the event can't be believed.
 */
export function readPin(event: NostrEvent, pubkey: string, nowS: number): Pin {
  if (event.kind !== KIND.certificate) throw refusal(`is of kind ${event.kind}`);
  if (event.pubkey !== pubkey) throw refusal(`is signed by ${event.pubkey}, not by the exit`);
  if (!verifyEvent(event)) throw refusal('has a forged signature');
  // Another `d` is another address (NIP-01), and not the one that newer events replace.
  if (tagValue(event, 'd')) throw refusal('belongs to another address of the exit');
  if (event.created_at > nowS + MAX_AHEAD_S) throw refusal('is dated in the future');
  const pin = pinOf({
    pubkey,
    eventId: event.id,
    createdAt: event.created_at,
    pem: event.content,
    reliable: speaksReliableStreams(event),
    version: streamVersion(event),
  });
  const claimed = tagValue(event, 'x');
  if (claimed !== undefined && claimed.toLowerCase() !== pin.fingerprints[0]) {
    throw refusal('holds another certificate than its x tag names');
  }
  return pin;
}

/** @throws NwsError `pin_mismatch` when the PEM holds no certificate, or anything that isn't one. */
export function pinOf(record: PinRecord): Pin {
  const certificates = readCertificates(record.pem);
  return {
    ...record,
    certificates,
    fingerprints: certificates.map(({ fingerprint }) => fingerprint),
    expiredAtBirth: certificates[0]!.expiredAtBirth,
  };
}

/** Newest first; of two events of one second the lower id stands (NIP-01). */
export function isNewer(
  pin: Pick<Pin, 'createdAt' | 'eventId'>,
  other: Pick<Pin, 'createdAt' | 'eventId'>,
): boolean {
  if (pin.createdAt !== other.createdAt) return pin.createdAt > other.createdAt;
  return pin.eventId < other.eventId;
}

function readCertificates(pem: string): PinnedCertificate[] {
  if (pem.length > MAX_PEM_CHARS) throw refusal(`is longer than ${MAX_PEM_CHARS} characters`);
  const blocks =
    pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw refusal('holds no certificate');
  if (blocks.length > MAX_CERTIFICATES) {
    throw refusal(`holds more than ${MAX_CERTIFICATES} certificates`);
  }
  if (blocks.length !== pem.split('-----BEGIN ').length - 1) {
    throw refusal('holds something else than certificates');
  }
  return blocks.map(readCertificate);
}

function readCertificate(block: string): PinnedCertificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(block);
  } catch {
    throw refusal('holds a broken certificate');
  }
  const notBefore = new Date(certificate.validFrom);
  const notAfter = new Date(certificate.validTo);
  if (Number.isNaN(notBefore.getTime() + notAfter.getTime())) {
    throw refusal('holds a certificate without readable dates');
  }
  const expiredAtBirth = notAfter <= notBefore;
  return { fingerprint: fingerprintOf(certificate), notBefore, notAfter, expiredAtBirth };
}

function refusal(reason: string): NwsError {
  return new NwsError('pin_mismatch', `the exit's certificate event ${reason}`, {
    hint: 'the exit has to publish its certificate again; a relay may be serving a forgery',
  });
}
