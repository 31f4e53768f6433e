// What recipes talk to, by the word in their marks, and the tools that they need.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FetchHandler } from '../../src/index.js';
import type { Ground, Service } from './ground.js';
import { gitServer } from './servers/git.js';
import { postgres } from './servers/postgres.js';
import { cargoRegistry, goProxy, npmRegistry, pipIndex } from './servers/registries.js';
import { canServeSsh, sshServer, USER } from './servers/sshd.js';

export interface Fixture {
  /** Shell commands that all succeed where its tools are installed. */
  readonly needs: readonly string[];
  start(folder: string, ground: Ground): Service | Promise<Service>;
  /** Files that the reader has. */
  prepare?(cwd: string): void;
  /** What else stands for something of the reader's own. */
  readonly replace?: Readonly<Record<string, string>>;
}

const site: FetchHandler = async (request) => {
  const { pathname } = new URL(request.url);
  if (request.method === 'POST') return new Response(`got: ${await request.text()}\n`);
  const page = `<!doctype html><title>hello</title><p>hello from ${pathname}\n`;
  return new Response(page, { headers: { 'content-type': 'text/html' } });
};

const web: Fixture = { needs: ['curl --version'], start: () => site };

export const FIXTURES: Readonly<Record<string, Fixture>> = {
  web,
  doctor: web,
  wget: { ...web, needs: ['wget --version'] },
  python: { ...web, needs: ['python3 -c "import requests"'] },
  node: {
    ...web,
    prepare: (cwd) => {
      writeFileSync(join(cwd, 'client.mjs'), CLIENT);
    },
  },
  java: {
    ...web,
    needs: ['keytool -help', 'java --version'],
    prepare: (cwd) => writeFileSync(join(cwd, 'Get.java'), GET_JAVA),
  },
  git: {
    needs: ['test -x "$(git --exec-path)/git-http-backend"'],
    start: (folder) => gitServer(folder),
  },
  pip: { needs: ['pip --version'], start: () => pipIndex() },
  npm: {
    needs: ['npm --version'],
    start: () => npmRegistry(),
    prepare: (cwd) => writeFileSync(join(cwd, 'package.json'), '{"name":"project","private":true}'),
  },
  cargo: {
    needs: ['cargo --version'],
    start: () => cargoRegistry(),
    prepare: (cwd) => {
      mkdirSync(join(cwd, 'src'));
      writeFileSync(join(cwd, 'src/main.rs'), 'fn main() {}\n');
      writeFileSync(
        join(cwd, 'Cargo.toml'),
        '[package]\nname = "project"\nversion = "0.1.0"\nedition = "2021"\n',
      );
    },
  },
  go: {
    needs: ['go version'],
    start: () => goProxy(),
    prepare: (cwd) => writeFileSync(join(cwd, 'go.mod'), 'module example.com/project\n\ngo 1.20\n'),
  },
  psql: { needs: ['psql --version', 'ncat --version'], start: () => postgres() },
  ssh: {
    needs: ['ssh -V', ...(canServeSsh() ? [] : ['false'])],
    start: (folder, ground) => sshServer(folder, join(ground.folder, 'bin')),
    replace: { 'user@': `${USER}@` },
  },
  rsync: {
    needs: ['rsync --version', 'ssh -V', ...(canServeSsh() ? [] : ['false'])],
    start: (folder, ground) => sshServer(folder, join(ground.folder, 'bin')),
    prepare: (cwd) => {
      mkdirSync(join(cwd, 'photos'));
      writeFileSync(join(cwd, 'photos/one.jpg'), 'a photo');
    },
    replace: { 'user@': `${USER}@` },
  },
};

/** Those whose recipes are run apart. */
export const PACKAGES: readonly string[] = ['pip', 'npm', 'cargo', 'go', 'java'];

const CLIENT = `const answer = await fetch(process.argv[2]);
console.log(answer.status, await answer.text());
`;

const GET_JAVA = `import java.net.URI;
import java.net.http.*;
public class Get {
  public static void main(String[] args) throws Exception {
    var request = HttpRequest.newBuilder(URI.create(args[0])).build();
    var client = HttpClient.newBuilder().proxy(java.net.ProxySelector.getDefault()).build();
    System.out.print(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
  }
}
`;
