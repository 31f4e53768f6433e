// The embedded relay as it is built, which also tells how many events it took:
// relay.ts [plain | strfry | SWITCHES-AS-JSON] [CHECKOUT]

import { strfryBehaviour } from '../../../src/relay/embedded/presets.js';
import { library } from './library.js';

const [, , kind = 'plain', root] = process.argv;
const { MemoryRelay } = await library(root);
const switches = kind.startsWith('{') ? JSON.parse(kind) : {};
const relay = await MemoryRelay.start({
  behaviour: kind === 'strfry' ? strfryBehaviour : switches,
});
process.on('message', (question) => {
  if (question === 'events') process.send?.({ events: relay.stats.events });
});
console.log(JSON.stringify({ url: relay.url }));
