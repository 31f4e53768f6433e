// The embedded relay as it is built, which also tells how many events it took: relay.ts [strfry | SWITCHES-AS-JSON]

import { strfryBehaviour } from '../../../src/relay/embedded/presets.js';
import { library } from './library.js';

const { MemoryRelay } = await library();
const [, , kind = 'plain'] = process.argv;
const switches = kind.startsWith('{') ? JSON.parse(kind) : {};
const relay = await MemoryRelay.start({
  behaviour: kind === 'strfry' ? strfryBehaviour : switches,
});
process.on('message', (question) => {
  if (question === 'events') process.send?.({ events: relay.stats.events });
});
console.log(JSON.stringify({ url: relay.url }));
