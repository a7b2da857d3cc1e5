/**
 * The strength of a passphrase. The estimator is a module of its own, for its list of words: it is fetched when
 * somebody begins to choose a passphrase, and its memory is overwritten soon after the last key.
 */
import { startModule, wipeModule } from './module.js';

/** How long a passphrase may stay in the estimator's memory, milliseconds. */
const IDLE = 5_000;

/** Lets messages in that came meanwhile. */
const breath = () =>
  new Promise((resolve) => {
    setTimeout(resolve);
  });

export class Meter {
  #files;
  /** @type {any} */
  #glue = null;
  /** What each tab typed last and is not measured yet. @type {Map<MessagePort, Uint8Array>} */
  #waiting = new Map();
  #busy = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #idle;

  /** @param {import('../types.js').ModuleFiles} files */
  constructor(files) {
    this.#files = files;
  }

  /**
   * Tells the tab how strong this is, unless it types on before that.
   * @param {Uint8Array} typed overwritten once it was measured
   * @param {MessagePort} port
   */
  measure(typed, port) {
    this.#waiting.get(port)?.fill(0);
    this.#waiting.set(port, typed);
    if (!this.#busy) void this.#work();
  }

  /** Overwrites whatever was typed. */
  wipe() {
    for (const typed of this.#waiting.values()) typed.fill(0);
    this.#waiting.clear();
    if (this.#glue) wipeModule(this.#glue);
  }

  async #work() {
    this.#busy = true;
    clearTimeout(this.#idle);
    try {
      this.#glue ??= (await startModule(this.#files)).glue;
      await breath();
      while (this.#waiting.size > 0) {
        for (const [port, typed] of this.#waiting) {
          this.#tell(port, typed);
          this.#waiting.delete(port);
        }
        await breath();
      }
    } catch (error) {
      // After a trap nothing in the instance can be relied on.
      if (this.#glue) wipeModule(this.#glue);
      const text = `The strength cannot be shown: ${/** @type {Error} */ (error).message} You can go on without it.`;
      for (const [port, typed] of this.#waiting) {
        typed.fill(0);
        port.postMessage(JSON.stringify({ e: 'failed', during: 'measure_passphrase', code: 'unavailable', text }));
      }
      this.#waiting.clear();
    }
    this.#busy = false;
    this.#idle = setTimeout(() => {
      if (this.#glue) wipeModule(this.#glue);
    }, IDLE);
  }

  /** @param {MessagePort} port @param {Uint8Array} typed */
  #tell(port, typed) {
    const strength = this.#glue.measure(typed);
    typed.fill(0);
    const { bits, weak, advice } = strength;
    strength.free();
    port.postMessage(JSON.stringify({ e: 'passphrase_measured', bits, weak, advice }));
  }
}
