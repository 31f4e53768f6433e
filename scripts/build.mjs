// Builds dist/: the program and the library as bundles that share their chunks, with source maps, and the types
// of every module beside them. A start then reads a few files instead of hundreds.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Native and wasm parts, which find their files from where they lie, and what hands out types of its own. */
const OUTSIDE = [
  'secp256k1',
  'tiny-secp256k1',
  'bufferutil',
  'utf-8-validate',
  'undici',
  'udx-native',
];

rmSync(`${root}/dist`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts', 'src/index.ts'],
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  minifySyntax: true,
  minifyWhitespace: true,
  external: OUTSIDE,
  // What was written for require() asks for Node's own modules by it.
  banner: {
    js: "import { createRequire as nwsCreateRequire } from 'node:module';\nconst require = nwsCreateRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
// Loaded into Nodes of other versions, as it is.
copyFileSync(`${root}/src/cli/run/fetch-preload.cjs`, `${root}/dist/fetch-preload.cjs`);
// Shown by browsers, as they are.
cpSync(`${root}/src/status/page`, `${root}/dist/page`, { recursive: true });
if (!process.argv.includes('--no-types')) {
  execFileSync(
    process.execPath,
    [`${root}/node_modules/typescript/bin/tsc`, '-p', 'tsconfig.build.json'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
}
