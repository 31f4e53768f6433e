// The code blocks of the documents, with the mark in front of each that says how it is held to be true:
//   <!-- run: FIXTURE; shows: REGEX -->     it is run as it stands (ground.ts), ends with 0 and prints this
//   <!-- stays: FIXTURE; shows: REGEX -->   the same for what serves: it prints this, and is ended
//   <!-- test: test/….test.ts -->           a test of its own does it
//   <!-- not run: WHY -->                   nobody does; the section says "not run by a test", for readers
// Blocks of the language `text` are pictures and output, and need none.

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Block {
  /** `docs/recipes.md:12`, for messages. */
  readonly at: string;
  readonly code: string;
  /** The word before the colon of its mark: absent where it has none. */
  readonly kind: string | undefined;
  /** What stands behind the colon. */
  readonly what: string;
  readonly shows: RegExp;
  /** From the heading above it to the block. */
  readonly section: string;
}

/** README.md and all that is in docs/. */
export function documents(): string[] {
  const docs = readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' });
  return [
    'README.md',
    ...docs.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`),
  ];
}

export function blocksOf(document: string): Block[] {
  const lines = readFileSync(ROOT + document, 'utf8').split('\n');
  const blocks: Block[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const language = /^```(\w*)/.exec(lines[index]!)?.[1];
    if (language === undefined) {
      // An indented block has no place for a language; the line before it tells it from a list.
      const isIndented = /^ {4}\S/.test(lines[index]!) && lines[index - 1]?.trim() === '';
      if (isIndented) blocks.push(blockAt(document, index, lines[index]!, lines));
      continue;
    }
    const end = lines.indexOf('```', index + 1);
    const code = lines.slice(index + 1, end).join('\n');
    if (language !== 'text') blocks.push(blockAt(document, index, code, lines));
    index = end;
  }
  return blocks;
}

function blockAt(document: string, index: number, code: string, lines: string[]): Block {
  const heading = lines.findLastIndex((line, at) => at < index && line.startsWith('#'));
  const section = lines.slice(heading, index).join(' ');
  const before = lines[index - 1] ?? '';
  const mark = /^<!-- (run|stays|test|not run): (.*?)(?:; shows: (.*))? -->$/.exec(before);
  const [, kind, what = '', shows = ''] = mark ?? [];
  const at = `${document}:${index + 1}`;
  return { at, code, kind, what, shows: new RegExp(shows), section };
}
