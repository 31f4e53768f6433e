// Loaded by NODE_OPTIONS into each Node that a command of `nws run` starts: fetch() goes by the proxy that the
// environment names, as newer Nodes do it by themselves. For any version of Node; undici is loaded with the first fetch.
'use strict';

/** Where Node's own undici, and any that a program brings along, look for the way that requests go. */
const PLACES = [1, 2].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));

const [major, minor] = process.versions.node.split('.').map(Number);
const doesItself = major >= 24 || (major === 22 && minor >= 21);
const isWanted = process.env.NODE_USE_ENV_PROXY === '1';
// One that is there was set by a preload of the user's own.
const isFree = PLACES.every((place) => !Object.hasOwn(globalThis, place));

if (isWanted && !doesItself && isFree) {
  for (const place of PLACES) {
    Object.defineProperty(globalThis, place, {
      get() {
        load();
        return globalThis[place];
      },
      set(value) {
        Object.defineProperty(globalThis, place, { value, writable: true, configurable: true });
      },
      configurable: true,
    });
  }
}

if (isWanted && doesItself) hushOnce();

/** Node 22 says at each start that this is experimental, which the one who started the command can't help. */
function hushOnce() {
  const { emit } = process;
  const back = () => {
    if (process.emit === hushed) process.emit = emit;
  };
  process.emit = hushed;
  setImmediate(back).unref();
  function hushed(...args) {
    const [name, warning] = args;
    if (name !== 'warning' || warning?.code !== 'UNDICI-EHPA') return emit.apply(this, args);
    back();
    return true;
  }
}

function load() {
  // What is loaded looks there, too.
  for (const place of PLACES) delete globalThis[place];
  try {
    const { EnvHttpProxyAgent, setGlobalDispatcher } = require('undici');
    setGlobalDispatcher(new EnvHttpProxyAgent());
  } catch (error) {
    process.emitWarning(`nws: fetch() goes without the proxy in this Node: ${error.message}`);
  }
}
