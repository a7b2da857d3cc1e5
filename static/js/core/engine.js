/** The WebAssembly instance: checked before it is compiled, overwritten when it is locked. */

/**
 * @typedef {{o: string, [field: string]: any}} Output
 * @typedef {object} Core
 * @property {(json: string, now: number) => Output[]} command
 * @property {(id: number, status: number, body: Uint8Array, now: number) => Output[]} http
 * @property {(id: number, now: number) => Output[]} http_failed
 * @property {(now: number) => Output[]} socket_open
 * @property {(text: string, now: number) => Output[]} socket_text
 * @property {(bytes: Uint8Array, now: number) => Output[]} socket_binary
 * @property {(code: number, now: number) => Output[]} socket_closed
 * @property {(now: number) => Output[]} tick
 * @property {(key: string, value: Uint8Array | undefined, now: number) => Output[]} stored
 */

/**
 * Fetches a file and refuses it unless it is the one that the page names.
 * @param {string} url
 * @param {string} integrity `sha384-…`
 */
async function checked(url, integrity) {
  const response = await fetch(url, { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`a file of it is missing (${response.status}).`);
  const bytes = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-384', bytes));
  const found = `sha384-${btoa(String.fromCharCode(...digest))}`;
  if (found !== integrity) throw new Error('a file of it is not the one that this page was made with.');
  return { bytes, found };
}

export class Engine {
  #glue;
  wasmHash;

  /**
   * @param {any} glue
   * @param {string} wasmHash
   */
  constructor(glue, wasmHash) {
    this.#glue = glue;
    this.wasmHash = wasmHash;
  }

  /** @param {import('../types.js').Bundle} bundle */
  static async load(bundle) {
    const [wasm] = await Promise.all([checked(bundle.wasm, bundle.wasmIntegrity), checked(bundle.glue, bundle.glueIntegrity)]);
    const glue = await import(bundle.glue);
    await glue.default({ module_or_path: await WebAssembly.compile(wasm.bytes) });
    return new Engine(glue, wasm.found);
  }

  /**
   * @param {string} origin
   * @returns {Core}
   */
  core(origin) {
    return new this.#glue.BrowserCore(origin);
  }

  /** Fills the whole linear memory with zeros and starts a clean instance of the same module. */
  wipe() {
    const memory = /** @type {WebAssembly.Memory} */ (this.#glue.linear_memory());
    new Uint8Array(memory.buffer).fill(0);
    this.#glue.__wbg_reset_state();
  }
}
