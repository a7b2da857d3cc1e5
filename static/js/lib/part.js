/** Pieces of the page that come and go. What a piece listens to, waits for or subscribed to ends with it. */

/**
 * @typedef {HTMLElementEventMap & WindowEventMap & DocumentEventMap} Events
 * @typedef {ReturnType<typeof setTimeout>} Timer
 * @typedef {import('../types.js').Context} Context
 */

export class Part {
  #end = new AbortController();
  /** @type {Set<Timer>} */
  #timers = new Set();

  /** @param {Part} [owner] ends this when it ends itself */
  constructor(owner) {
    this.atEnd(() => {
      for (const timer of this.#timers) clearTimeout(timer);
    });
    if (owner?.ended) this.#end.abort();
    else owner?.atEnd(() => this.stop(), this.signal);
  }

  get ended() {
    return this.#end.signal.aborted;
  }

  /** Aborted when this ends. */
  get signal() {
    return this.#end.signal;
  }

  stop() {
    this.#end.abort();
  }

  /**
   * Runs something when this ends.
   * @param {() => void} run
   * @param {AbortSignal} [unless] aborted first, it is not run
   */
  atEnd(run, unless) {
    this.signal.addEventListener('abort', run, { once: true, signal: unless });
  }

  /**
   * @template {EventTarget} T
   * @template {keyof Events} K
   * @param {T} target
   * @param {K} kind
   * @param {(event: Events[K]) => void} listener
   * @param {AddEventListenerOptions} [options]
   * @returns {T} the target
   */
  listen(target, kind, listener, options) {
    target.addEventListener(kind, /** @type {(event: any) => void} */ (listener), { ...options, signal: this.signal });
    return target;
  }

  /**
   * Listens to clicks on elements with `data-action`, wherever they are in `root`.
   * @param {HTMLElement} root
   * @param {Record<string, (target: HTMLElement) => void>} actions
   */
  actions(root, actions) {
    this.listen(root, 'click', (event) => {
      const target = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-action]'));
      if (target && root.contains(target)) actions[target.dataset.action ?? '']?.(target);
    });
  }

  /**
   * Runs something once, later.
   * @param {number} ms
   * @param {() => void} run
   * @returns {Timer} for `cancel`
   */
  after(ms, run) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    return this.#keep(timer);
  }

  /**
   * Runs something again and again.
   * @param {number} ms
   * @param {() => void} run
   * @returns {Timer} for `cancel`
   */
  every(ms, run) {
    return this.#keep(setInterval(run, ms));
  }

  /** @param {Timer | undefined} timer */
  cancel(timer) {
    clearTimeout(timer);
    if (timer !== undefined) this.#timers.delete(timer);
  }

  /** @param {Timer} timer */
  #keep(timer) {
    if (this.ended) clearTimeout(timer);
    else this.#timers.add(timer);
    return timer;
  }
}

/** What lasts as long as the page. */
export const page = new Part();

/** A part that draws something and hears of the core. */
export class View extends Part {
  /** @type {HTMLElement} */
  node;
  /** @type {Context} */
  context;

  /**
   * @param {Context} context
   * @param {HTMLElement} node
   * @param {Part} [owner]
   */
  constructor(context, node, owner) {
    super(owner);
    this.context = context;
    this.node = node;
  }

  get state() {
    return this.context.state;
  }

  /** @param {import('../types.js').Command} command */
  send(command) {
    this.context.send(command);
  }

  /**
   * Hears of each event of one kind.
   * @param {string} kind
   * @param {import('./state.js').Listener} listener
   */
  on(kind, listener) {
    this.state.on(kind, listener, this.signal);
  }

  /** Puts the cursor where a person goes on; false where there is no such place. @returns {boolean | void} */
  focus() {
    return false;
  }
}
