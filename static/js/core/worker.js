/** Hosts the core for all tabs. Keys and plaintext are in the WebAssembly memory; tabs only draw. */
import { Engine } from './engine.js';
import { Host } from './host.js';
import { Meter } from './meter.js';

/** @type {Set<MessagePort>} */
const ports = new Set();
/** @type {Promise<Host> | null} */
let host = null;
/** @type {Meter | null} */
let meter = null;

/** Where each tab has a worker of its own, a lock in one has to reach the others. */
const others = 'onconnect' in globalThis ? null : new BroadcastChannel('secure-messaging');
others?.addEventListener('message', (event) => { if (event.data === 'lock') void host?.then((core) => core.command('{"c":"lock"}')); });

/** @param {string} json */
function broadcast(json) {
  for (const port of ports) port.postMessage(json);
}

/** @param {any} message @param {MessagePort} port */
async function receive(message, port) {
  if (message.kind === 'bye') {
    ports.delete(port);
    return;
  }
  if (message.kind === 'measure') {
    meter?.measure(message.typed, port);
    return;
  }
  if (message.kind === 'hello') ports.add(port);
  try {
    if (message.kind === 'hello') {
      const fresh = host === null;
      meter ??= new Meter(message.bundle.strength);
      host ??= Engine.load(message.bundle.core).then((engine) => new Host(engine, message.bundle.origin, broadcast));
      const core = await host;
      port.postMessage(JSON.stringify({ e: 'about', wasmHash: core.wasmHash }));
      core.command(JSON.stringify({ c: fresh ? 'start' : 'snapshot' }));
    } else if (message.kind === 'command' && host) {
      (await host).command(message.json);
      if (message.json === '{"c":"lock"}') others?.postMessage('lock');
    }
  } catch (error) {
    host = null;
    broadcast(JSON.stringify({ e: 'fatal', text: `The encryption core could not be started: ${/** @type {Error} */ (error).message} Load the page again; if that does not help, tell the server’s operator.` }));
  }
}

/** @param {MessagePort} port */
function attach(port) {
  port.addEventListener('message', (event) => { void receive(event.data, port); });
  port.start?.();
}

if ('onconnect' in globalThis) {
  addEventListener('connect', (event) => attach(/** @type {MessageEvent} */ (event).ports[0]));
} else {
  attach(/** @type {any} */ (globalThis));
}
