// Package registries with one package each, called hello-nws, as small as their clients allow.

import { createHash } from 'node:crypto';
import type { FetchHandler } from '../../../src/index.js';
import { tarGz, zip } from './archives.js';

const NAME = 'hello-nws';
const hex = (hash: string, bytes: Buffer): string => createHash(hash).update(bytes).digest('hex');

/** Answers by path. */
function files(known: (origin: string) => Record<string, string | Buffer>): FetchHandler {
  return (request) => {
    const { origin, pathname } = new URL(request.url);
    const found = known(origin)[decodeURIComponent(pathname)];
    if (found === undefined) return new Response('not here\n', { status: 404 });
    const type =
      typeof found === 'string' && found.startsWith('<') ? 'text/html' : 'application/json';
    return new Response(found, {
      headers: { 'content-type': typeof found === 'string' ? type : 'application/octet-stream' },
    });
  };
}

/** Python's simple index (PEP 503), with a wheel. */
export function pipIndex(): FetchHandler {
  const info = 'hello_nws-1.0.0.dist-info';
  const wheel = zip({
    'hello_nws.py': 'print("hello from a wheel")\n',
    [`${info}/METADATA`]: 'Metadata-Version: 2.1\nName: hello-nws\nVersion: 1.0.0\n',
    [`${info}/WHEEL`]:
      'Wheel-Version: 1.0\nGenerator: nws\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/RECORD`]: `hello_nws.py,,\n${info}/METADATA,,\n${info}/WHEEL,,\n${info}/RECORD,,\n`,
  });
  const file = 'hello_nws-1.0.0-py3-none-any.whl';
  const link = `<!doctype html><a href="/files/${file}#sha256=${hex('sha256', wheel)}">${file}</a>`;
  return files(() => ({ '/simple/hello-nws/': link, [`/files/${file}`]: wheel }));
}

export function npmRegistry(): FetchHandler {
  const manifest = { name: NAME, version: '1.0.0', main: 'index.js' };
  const tarball = tarGz({
    'package/package.json': JSON.stringify(manifest),
    'package/index.js': 'console.log("hello from a tarball");\n',
  });
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  return files((origin) => ({
    [`/${NAME}`]: JSON.stringify({
      name: NAME,
      'dist-tags': { latest: '1.0.0' },
      versions: {
        '1.0.0': { ...manifest, dist: { tarball: `${origin}/${NAME}-1.0.0.tgz`, integrity } },
      },
    }),
    [`/${NAME}-1.0.0.tgz`]: tarball,
  }));
}

/** A sparse registry of cargo. */
export function cargoRegistry(): FetchHandler {
  const root = `${NAME}-1.0.0`;
  const crate = tarGz({
    [`${root}/Cargo.toml`]: `[package]\nname = "${NAME}"\nversion = "1.0.0"\nedition = "2021"\n`,
    [`${root}/src/lib.rs`]: 'pub fn hello() {}\n',
  });
  const line = {
    name: NAME,
    vers: '1.0.0',
    deps: [],
    cksum: hex('sha256', crate),
    features: {},
    yanked: false,
  };
  return files((origin) => ({
    '/index/config.json': JSON.stringify({ dl: `${origin}/crates` }),
    [`/index/he/ll/${NAME}`]: `${JSON.stringify(line)}\n`,
    [`/crates/${NAME}/1.0.0/download`]: crate,
  }));
}

/** A proxy for Go modules. */
export function goProxy(): FetchHandler {
  const module = 'example.com/hello-nws';
  const root = `${module}@v1.0.0`;
  const mod = `module ${module}\n\ngo 1.20\n`;
  const archive = zip({ [`${root}/go.mod`]: mod, [`${root}/hello.go`]: 'package hello\n' });
  const info = JSON.stringify({ Version: 'v1.0.0', Time: '2020-01-01T00:00:00Z' });
  return files(() => ({
    [`/${module}/@v/list`]: 'v1.0.0\n',
    [`/${module}/@latest`]: info,
    [`/${module}/@v/v1.0.0.info`]: info,
    [`/${module}/@v/v1.0.0.mod`]: mod,
    [`/${module}/@v/v1.0.0.zip`]: archive,
  }));
}
