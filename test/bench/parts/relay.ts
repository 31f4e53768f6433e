// The embedded relay as it is built, which also tells how many events it took: relay.ts [strfry]

import { strfryBehaviour } from '../../../src/relay/embedded/presets.js';
import { library } from './library.js';

const { MemoryRelay } = await library();
const relay = await MemoryRelay.start({
  behaviour: process.argv[2] === 'strfry' ? strfryBehaviour : {},
});
process.on('message', (question) => {
  if (question === 'events') process.send?.({ events: relay.stats.events });
});
console.log(JSON.stringify({ url: relay.url }));
