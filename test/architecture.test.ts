// Holds the walls of the house: which room may import which, what the pure core must not touch,
// who may read the process's arguments, how long a file and how full a folder may be.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAX_LINES = 300;
const MAX_FILES_A_FOLDER = 12;

const BASE = ['common', 'errors', 'limits', 'secp256k1'];
const CORE = ['protocol', ...BASE];
const MIDDLE = ['tunnel', 'tls', 'http', 'relay', 'crypto', ...CORE];

/** Room (folder or file at the top of src/) → rooms that it may import, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  // What is set for all of the process is no business of the library.
  main: ['cli', 'stack', 'buffer-room'],
  index: ['proxy', 'exit', ...MIDDLE],
  cli: ['config', 'log', 'stack', 'proxy', 'exit', ...MIDDLE],
  config: ['exit', 'relay', 'crypto', ...CORE],
  log: ['config', 'stack', ...BASE],
  proxy: ['status', ...MIDDLE],
  exit: ['status', ...MIDDLE],
  status: ['tunnel', 'tls', 'http', 'relay', 'crypto', ...CORE],
  tunnel: ['relay', 'crypto', ...CORE],
  tls: ['relay', 'crypto', ...CORE],
  http: BASE,
  relay: ['crypto', ...CORE],
  crypto: CORE,
  protocol: BASE,
  common: [],
  errors: [],
  limits: [],
  secp256k1: [],
  stack: [],
  'buffer-room': [],
};

interface SourceFile {
  /** Path below the repository, with slashes. */
  readonly path: string;
  readonly text: string;
}

function filesOf(folder: string): SourceFile[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .map((path) => ({
      path: path.split(sep).join('/'),
      text: readFileSync(join(ROOT, path), 'utf8'),
    }));
}

/** Everything that a file imports or re-exports, as written. */
function importsOf(text: string): string[] {
  const matches = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g);
  return [...matches].map((match) => match[1]!);
}

/** The files that a file imports, be it for their values or for their types. */
function importedFiles(path: string, text: string): string[] {
  return importsOf(text)
    .filter((name) => name.startsWith('.'))
    .map((name) => resolved(path, name));
}

/** Each circle once, as `a → b → a`. */
function circlesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) circles.push([...trail.slice(start), path].join(' → '));
    if (done.has(path) || start >= 0) return;
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return circles;
}

function resolved(path: string, name: string): string {
  return normalize(join(dirname(path), name))
    .split(sep)
    .join('/')
    .replace(/\.js$/, '.ts');
}

function roomOf(path: string): string {
  return path.split('/')[1]!.replace(/\.ts$/, '');
}

describe('the house', () => {
  const sources = filesOf('src');

  it('has files to look at', () => {
    expect(sources.length).to.be.greaterThan(20);
  });

  it('keeps the direction of dependencies', () => {
    const wrong = sources.flatMap(({ path, text }) =>
      importsOf(text)
        .filter((name) => name.startsWith('.'))
        .map((name) => roomOf(resolved(path, name)))
        .filter((room) => room !== roomOf(path) && !MAY_IMPORT[roomOf(path)]?.includes(room))
        .map((room) => `${path} imports ${room}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('lets the entry and the exit see each other nowhere but in index.ts and the demo', () => {
    const both = sources.filter(({ path, text }) => {
      const rooms = importsOf(text).map((name) => roomOf(resolved(path, name)));
      return rooms.includes('proxy') && rooms.includes('exit');
    });
    const allowed = ['src/cli/commands/demo.ts', 'src/index.ts'];
    expect(both.map(({ path }) => path).filter((path) => !allowed.includes(path))).to.deep.equal(
      [],
    );
  });

  it('has no circles of imports, those of types included', () => {
    const graph = new Map(sources.map(({ path, text }) => [path, importedFiles(path, text)]));
    expect(circlesIn(graph)).to.deep.equal([]);
  });

  it('would notice a circle, a short one and a long one', () => {
    const graph = new Map([
      ['a.ts', ['b.ts', 'd.ts']],
      ['b.ts', ['c.ts']],
      ['c.ts', ['a.ts']],
      ['d.ts', ['e.ts']],
      ['e.ts', ['d.ts']],
      ['f.ts', ['a.ts']],
    ]);
    expect(circlesIn(graph)).to.deep.equal(['a.ts → b.ts → c.ts → a.ts', 'd.ts → e.ts → d.ts']);
    expect(importedFiles('src/x/a.ts', "import type { B } from '../y/b.js';")).to.deep.equal([
      'src/y/b.ts',
    ]);
  });

  it('has folders with one idea each: no more than twelve files', () => {
    const counts = new Map<string, number>();
    for (const { path } of sources) {
      const folder = dirname(path);
      counts.set(folder, (counts.get(folder) ?? 0) + 1);
    }
    const crowded = [...counts].filter(([, files]) => files > MAX_FILES_A_FOLDER);
    expect(crowded).to.deep.equal([]);
  });

  it('keeps protocol/ pure: no I/O, clock, timers or randomness', () => {
    const impure =
      /'node:(?!buffer')|\bDate\.now|new Date\(\)|Math\.random|\bset(?:Timeout|Interval|Immediate)\b|\bperformance\.|\bprocess\.|\bcrypto\.|\bfetch\(/;
    const found = sources
      .filter(({ path }) => roomOf(path) === 'protocol')
      .flatMap(({ path, text }) => {
        const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
        const match = impure.exec(code);
        return match === null ? [] : [`${path}: ${match[0]}`];
      });
    expect(found).to.deep.equal([]);
  });

  it('leaves process.argv, process.env and process.exit to main.ts', () => {
    const readers = sources.filter(({ text }) => /\bprocess\.(?:argv|env|exit)\b/.test(text));
    expect(readers.map(({ path }) => path)).to.deep.equal(['src/main.ts']);
  });

  it('has sources that say first what they are', () => {
    const silent = sources.filter(({ text }) => !/^(?:#!.*\n)?\/\/ /.test(text));
    expect(silent.map(({ path }) => path)).to.deep.equal([]);
  });

  it('lets an exit connect to anything in one place only', () => {
    const dialling = sources
      .filter(({ path }) => path.startsWith('src/exit/'))
      .filter(({ text }) =>
        /import \{[^}]*\bconnect\b[^}]*\} from 'node:(net|tls)'|\bconnectHost\b|\bnew Socket\(/.test(
          text,
        ),
      )
      .map(({ path }) => path);
    expect(dialling).to.deep.equal(['src/exit/dial/dial.ts']);
  });

  it('has files of at most 300 lines, named in kebab-case', () => {
    const wrong = [...sources, ...filesOf('test')].flatMap(({ path, text }) => {
      const lines = text.split('\n').length - 1;
      const name = path.split('/').at(-1)!;
      return [
        ...(lines > MAX_LINES ? [`${path} has ${lines} lines`] : []),
        ...(/^[a-z0-9]+(?:[-.][a-z0-9]+)*\.ts$/.test(name) ? [] : [`${path} is not kebab-case`]),
      ];
    });
    expect(wrong).to.deep.equal([]);
  });
});
