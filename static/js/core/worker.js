/** Hosts the core for all tabs. Keys and plaintext are in the WebAssembly memory; tabs only draw. */
import { Engine } from './engine.js';
import { Host } from './host.js';
import { Meter } from './meter.js';

/** @type {Set<MessagePort>} */
const ports = new Set();
/** Tabs that asked for another page: they go, unless what comes is no page. @type {Set<MessagePort>} */
const leaving = new Set();
/** What each page's tab is called. @type {WeakMap<MessagePort, string>} */
const names = new WeakMap();
/** @type {Promise<Engine> | null} */
let engine = null;
/** @type {Promise<Host> | null} */
let host = null;
/** Until the core that the last tab left behind is gone. */
let left = Promise.resolve();
/** @type {Meter | null} */
let meter = null;

/** Where each tab has a worker of its own, a lock in one has to reach the others. */
const others = 'onconnect' in globalThis ? null : new BroadcastChannel('secure-messaging');
others?.addEventListener('message', (event) => {
  if (event.data === 'lock') void host?.then((core) => core.command('{"c":"lock"}'));
});

/** @param {string} json */
function broadcast(json) {
  for (const port of ports) port.postMessage(json);
}

/** A tab asks before it goes when it is the last. */
function count() {
  broadcast(JSON.stringify({ e: 'tabs', count: ports.size }));
}

/** @param {import('../types.js').Bundle} bundle */
async function begin(bundle) {
  await left;
  engine ??= Engine.load(bundle.core);
  return new Host(await engine, bundle.origin, broadcast);
}

/**
 * What was read goes with the last tab. The browser ends a worker without tabs when it likes, and not at all
 * while a page that it could go back to counts as one.
 * @param {MessagePort} port
 */
function leave(port) {
  leaving.delete(port);
  if (!ports.delete(port)) return;
  count();
  if (ports.size > 0) return;
  meter?.wipe();
  const last = host;
  host = null;
  left = left
    .then(async () => {
      await (await last)?.end();
    })
    .catch(() => {});
}

/** How long a tab that asked for another page may take to say that it stayed, milliseconds. */
const ANSWER = 150;

/**
 * Whoever was asked before it went, and stayed, answers; a page that is gone does not, and one that was left for
 * the next page of its own tab is not asked.
 * @param {string} tab
 */
async function askLeaving(tab) {
  const others = [...leaving].filter((port) => names.get(port) !== tab);
  if (others.length === 0) return;
  for (const port of others) port.postMessage(JSON.stringify({ e: 'there' }));
  await new Promise((done) => {
    setTimeout(done, ANSWER);
  });
}

/** A tab speaks for the first time. @param {MessagePort} port */
function join(port) {
  if (leaving.size === ports.size) {
    for (const before of [...ports]) {
      leave(before);
      // Should it be there after all, it joins again.
      before.postMessage(JSON.stringify({ e: 'left' }));
    }
  }
  ports.add(port);
  count();
}

/** @param {any} message @param {MessagePort} port */
async function receive(message, port) {
  if (message.kind === 'bye') {
    leave(port);
    return;
  }
  if (message.kind === 'leaving') {
    if (ports.has(port)) leaving.add(port);
    return;
  }
  if (message.kind === 'staying') {
    leaving.delete(port);
    return;
  }
  if (message.kind === 'measure') {
    meter?.measure(message.typed, port);
    return;
  }
  if (message.kind === 'hello') {
    if (leaving.size === ports.size) await askLeaving(message.tab);
    names.set(port, message.tab);
    join(port);
  }
  try {
    if (message.kind === 'hello') {
      const fresh = host === null;
      meter ??= new Meter(message.bundle.strength);
      host ??= begin(message.bundle);
      const core = await host;
      port.postMessage(JSON.stringify({ e: 'about', wasmHash: core.wasmHash }));
      core.command(JSON.stringify({ c: fresh ? 'start' : 'snapshot' }));
    } else if (message.kind === 'command' && host) {
      (await host).command(message.json);
      if (message.json === '{"c":"lock"}') others?.postMessage('lock');
    }
  } catch (error) {
    engine = null;
    host = null;
    broadcast(
      JSON.stringify({
        e: 'fatal',
        text: `The encryption core could not be started: ${/** @type {Error} */ (error).message} Load the page again; if that does not help, tell the server’s operator.`,
      }),
    );
  }
}

/** @param {MessagePort} port */
function attach(port) {
  port.addEventListener('message', (event) => {
    void receive(event.data, port);
  });
  // A tab that crashed says nothing.
  port.addEventListener('close', () => {
    leave(port);
  });
  port.start?.();
}

if ('onconnect' in globalThis) {
  addEventListener('connect', (event) => attach(/** @type {MessageEvent} */ (event).ports[0]));
} else {
  attach(/** @type {any} */ (globalThis));
}
