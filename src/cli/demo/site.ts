// The web site that the demo publishes: one page, as HTML for browsers and as text for curl.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface DemoSite {
  readonly url: string;
  /** What a client that asks for no HTML gets. */
  readonly text: string;
  close(): Promise<void>;
}

const TEXT = 'Hello from a web server that has no address: this page came over a Nostr relay.\n';

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>nws demo</title>
<style>
:root { color-scheme: light dark; font: 1.1rem/1.6 system-ui, sans-serif; }
body { max-width: 34rem; margin: 20vh auto 0; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; }
</style>
<h1>This page came over a Nostr relay.</h1>
<p>Its server has no public address, no domain and no certificate of an authority. Its name is its key,
and that key signed the certificate your proxy checked before it asked for anything.</p>
</html>
`;

/** Starts the site on a free loopback port. */
export async function startDemoSite(): Promise<DemoSite> {
  const server = createServer((req, res) => {
    const isHtml = req.headers.accept?.includes('text/html') ?? false;
    res.setHeader('Content-Type', `text/${isHtml ? 'html' : 'plain'}; charset=utf-8`);
    res.end(isHtml ? PAGE : TEXT);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, text: TEXT, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
