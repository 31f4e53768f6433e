// Numbers, times and long names as people read them. Pure.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** @param {number} count in bytes; units of 1,000 */
export function bytes(count) {
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** @param {number} perSecond in bytes */
export function rate(perSecond) {
  return perSecond < 0.5 ? '0 B/s' : `${bytes(perSecond)}/s`;
}

/** @param {number} count */
export function number(count) {
  return count.toLocaleString('en');
}

/** @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min ${s % 60} s`;
  const h = Math.floor(m / 60);
  if (h < 48) return `${h} h ${m % 60} min`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}

/** @param {number} at @param {number} now both Unix ms */
export function ago(at, now) {
  const s = Math.round((now - at) / 1000);
  if (s < 2) return 'now';
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  return s < 172_800 ? `${Math.floor(s / 3600)} h ago` : `${Math.floor(s / 86_400)} d ago`;
}

/** @param {number} at Unix ms */
export function date(at) {
  return new Date(at).toISOString().slice(0, 10);
}

/** @param {number | undefined} ms */
export function milliseconds(ms) {
  if (ms === undefined) return '–';
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/**
 * A long name cut in its middle: `8ui0cfnd…gojeg.nostr:443`. What stands before the key of a `.nostr` name says which
 * relays, not who.
 * @param {string} name
 */
export function short(name) {
  const parts = name.split('.');
  const shown = parts.at(-1)?.startsWith('nostr') ? parts.slice(-2) : parts;
  return shown
    .map((part) => (part.length > 24 ? `${part.slice(0, 8)}…${part.slice(-5)}` : part))
    .join('.');
}

/** @param {string} fingerprint hex */
export function fingerprint(fingerprint) {
  const pairs = fingerprint.toUpperCase().match(/../g) ?? [];
  return `${pairs.slice(0, 4).join(':')} … ${pairs.slice(-2).join(':')}`;
}
