// What a relay may mean by a NOTICE, which names neither event nor subscription (NIP-01): free text, read by the words
// that relays use. Pure.

const SUBSCRIPTION = /\breqs?\b|subscri|filter|concurrent/i;
const REFUSAL =
  /too (large|big|long|many|fast|much)|exceed|limit|slow|block|restrict|invalid|denied|reject|refus|not (allowed|accepted|authori)|auth|unsupported|payment|pow\b/i;

/** It may be why a subscription that was just asked for isn't served. */
export function mayRefuseSubscription(text: string): boolean {
  return SUBSCRIPTION.test(text) || (REFUSAL.test(text) && !/event/i.test(text));
}

/** It may be why an event that was just sent isn't taken. */
export function mayRefuseEvent(text: string): boolean {
  return REFUSAL.test(text) && !SUBSCRIPTION.test(text);
}

/** Whether the relay says that there are too many subscriptions already. */
export function isOverSubscribed(reason: string): boolean {
  return /too many|concurrent|maximum|exceed/i.test(reason);
}

/** Whether it says that the event is too large. */
export function isTooLarge(reason: string): boolean {
  return /too (large|big|long)|exceed\w*\s+(the )?(max|size|limit)|larger than|size limit/i.test(
    reason,
  );
}

/** Whether it says that there are too many events in too short a time. */
export function isRateLimited(reason: string): boolean {
  return /^rate-limited:|rate.?limit|too (fast|many events)|slow(ing)? down/i.test(reason);
}

/** The bound in bytes that a refusal of an event of so many bytes names, if it names one. */
export function boundIn(reason: string, eventBytes: number): number | undefined {
  const numbers = reason.match(/\d{4,9}/g)?.map(Number) ?? [];
  const bounds = numbers.filter((bytes) => bytes < eventBytes);
  return bounds.length > 0 ? Math.max(...bounds) : undefined;
}
