/**
 * A tab's side of the core: a SharedWorker that all tabs of this browser share, or a worker of its own
 * where the browser has no shared ones.
 */

import { page } from '../lib/part.js';

/**
 * @typedef {import('../types.js').CoreEvent} CoreEvent
 * @typedef {import('../types.js').Command} Command
 */

const WORKER = new URL('./worker.js', import.meta.url).href;

/** Only this one script may become a worker. */
function workerUrl() {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (!types) return WORKER;
  const policy = types.createPolicy('app', {
    createScriptURL: (/** @type {string} */ url) => {
      if (url !== WORKER) throw new TypeError('Only the core may run as a worker.');
      return url;
    },
  });
  return policy.createScriptURL(WORKER);
}

/** Why the core cannot run here, in words; empty where it can. */
function hindrance() {
  if (!isSecureContext) {
    return `This address is not protected: it begins with http://, and browsers offer encryption only to addresses that begin with https:// (or on the same machine). Ask whoever runs this server for its https:// address, or try https://${location.host}.`;
  }
  if (!navigator.cookieEnabled)
    return 'This browser blocks cookies and stored data for this address, so nobody can sign in here. Allow both for this site in the browser’s settings, then load the page again.';
  if (typeof WebAssembly === 'undefined')
    return 'This browser does not run WebAssembly, in which the encryption happens. Switch the strict protection or lockdown mode off for this site, or take another browser.';
  return '';
}

/** What the page says of its files. @returns {import('../types.js').Bundle} */
function bundle() {
  const { dataset } = document.documentElement;
  const address = (/** @type {string | undefined} */ path) => new URL(path ?? '', location.href).href;
  return {
    core: {
      wasm: address(dataset.wasm),
      wasmIntegrity: dataset.wasmIntegrity ?? '',
      glue: address(dataset.glue),
      glueIntegrity: dataset.glueIntegrity ?? '',
    },
    strength: {
      wasm: address(dataset.strengthWasm),
      wasmIntegrity: dataset.strengthWasmIntegrity ?? '',
      glue: address(dataset.strengthGlue),
      glueIntegrity: dataset.strengthGlueIntegrity ?? '',
    },
    origin: location.origin,
  };
}

export class Link {
  /** @type {MessagePort | Worker} */
  #port;
  /** When this tab last sent each kind of command: failures of other tabs are theirs to show. */
  #sent = new Map();
  /** Whether this page was asked to go. */
  #leaving = false;

  /** @param {(event: CoreEvent) => void} receive */
  constructor(receive) {
    const broken = () =>
      receive({
        e: 'fatal',
        text: 'The encryption core could not be started. Load the page again; if that does not help, the server’s files may be damaged: tell its operator.',
      });
    const why = hindrance();
    if (why !== '') {
      this.#port = new MessageChannel().port1;
      queueMicrotask(() => receive({ e: 'fatal', text: why }));
      return;
    }
    this.#port = this.#start(broken);
    page.listen(this.#port, 'message', ({ data }) => {
      const event = JSON.parse(data);
      if (event.e === 'there') this.#going(false);
      else receive(event);
    });
    // A page that follows in the same tab finds this again: it knows then that the one before it is gone.
    window.name ||= crypto.randomUUID();
    this.#port.postMessage({ kind: 'hello', bundle: bundle(), tab: window.name });
    // `pagehide` may come later than the first word of the page that follows; that no page follows shows when
    // somebody goes on here.
    page.listen(window, 'beforeunload', () => this.#going(true));
    const how = { passive: true, capture: true };
    page.listen(window, 'keydown', () => this.#going(false), how);
    page.listen(window, 'pointerdown', () => this.#going(false), how);
    // Also where the browser keeps the page to go back to it: then it is loaded anew.
    page.listen(window, 'pagehide', () => this.#port.postMessage({ kind: 'bye' }));
  }

  /** @param {() => void} broken @returns {MessagePort | Worker} */
  #start(broken) {
    const how = /** @type {const} */ ({ type: 'module', name: 'secure-messaging' });
    if (!('SharedWorker' in globalThis)) return page.listen(new Worker(workerUrl(), how), 'error', broken);
    const worker = page.listen(new SharedWorker(workerUrl(), how), 'error', broken);
    worker.port.start();
    return worker.port;
  }

  /** @param {boolean} away */
  #going(away) {
    if (away !== this.#leaving) this.#port.postMessage({ kind: away ? 'leaving' : 'staying' });
    this.#leaving = away;
  }

  /** @param {Command} command */
  send(command) {
    this.expect(command.c);
    if (command.c === 'measure_passphrase') {
      // Not the core's: the worker measures. As bytes, because those can be overwritten.
      const typed = new TextEncoder().encode(String(command.passphrase));
      this.#port.postMessage({ kind: 'measure', typed }, [typed.buffer]);
      return;
    }
    // Half a character has no place in the core's text; the rest of a command is not lost with it.
    const json = JSON.stringify(command, (_, value) => (typeof value === 'string' ? value.toWellFormed() : value));
    this.#port.postMessage({ kind: 'command', json });
  }

  /**
   * This tab is told how this goes, whoever gave the command.
   * @param {string} tag
   */
  expect(tag) {
    this.#sent.set(tag, Date.now());
  }

  /**
   * Whether this tab asked for this lately.
   * @param {string} tag
   */
  asked(tag) {
    return Date.now() - (this.#sent.get(tag) ?? 0) < 120_000;
  }
}
