/** The WebAssembly instance: checked before it is compiled, overwritten when it is locked. */
import { startModule, wipeModule } from './module.js';

/**
 * @typedef {{o: string, [field: string]: any}} Output
 * @typedef {object} Core
 * @property {(json: string, now: number) => Output[]} command
 * @property {(id: number, status: number, body: Uint8Array, now: number) => Output[]} http
 * @property {(id: number, now: number) => Output[]} http_failed
 * @property {(bytes: Uint8Array, now: number) => Output[]} socket_frame
 * @property {(code: number, now: number) => Output[]} socket_closed
 * @property {(now: number) => Output[]} tick
 * @property {(key: string, value: Uint8Array | undefined, now: number) => Output[]} stored
 * @property {(sealed: Uint8Array, now: number) => Output[]} unsent
 */

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

  /** @param {import('../types.js').ModuleFiles} files */
  static async load(files) {
    const { glue, wasmHash } = await startModule(files);
    return new Engine(glue, wasmHash);
  }

  /**
   * @param {string} origin
   * @returns {Core}
   */
  core(origin) {
    return new this.#glue.BrowserCore(origin);
  }

  /** Overwrites everything that this instance knew. */
  wipe() {
    wipeModule(this.#glue);
  }
}
