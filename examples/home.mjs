// Shared by the examples: where keys and certificates are kept, and which relays they use.
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const home = (role) => join(process.env.NWS_HOME ?? join(tmpdir(), 'nws-examples'), role);
export const relays = (process.env.NOSTR_RELAYS ?? 'ws://127.0.0.1:7777').split(/[;,]\s*/);
