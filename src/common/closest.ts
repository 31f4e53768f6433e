// The word that was probably meant by one that was mistyped. Pure.

/** Typing mistakes that still count as the same word. */
const MAX_TYPOS = 2;

/** The nearest candidate by typing mistakes, of which a short word is allowed fewer. */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  let best: { readonly candidate: string; readonly typos: number } | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > MAX_TYPOS) continue;
    const typos = distance(word, candidate);
    const isNear = typos <= Math.min(MAX_TYPOS, candidate.length - 1);
    if (isNear && (best === undefined || typos < best.typos)) best = { candidate, typos };
  }
  return best?.candidate;
}

/** Levenshtein distance: letters to insert, delete or replace. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const replaced = row[j]! + (letter === to[j] ? 0 : 1);
      next.push(Math.min(replaced, row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
