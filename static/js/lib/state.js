/** The last event of each kind; views read it and listen for the next. */

/**
 * @typedef {import('../types.js').CoreEvent} CoreEvent
 * @typedef {(event: any) => void | boolean} Listener
 */

export class State {
  /** @type {Map<string, CoreEvent>} */
  #last = new Map();
  /** @type {Map<string, Set<Listener>>} */
  #listeners = new Map();

  /** What became of the server while nobody was signed in here. @type {'' | 'restarted' | 'restored'} */
  #meanwhile = '';

  get meanwhile() {
    return this.#meanwhile;
  }
  /** @returns {import('../types.js').ServerEvent | undefined} */
  get server() {
    return /** @type {any} */ (this.#last.get('server'));
  }
  /** @returns {import('../types.js').StateEvent} */
  get state() {
    return /** @type {any} */ (
      this.#last.get('state') ?? { e: 'state', state: 'starting', reason: 'started', me: null }
    );
  }
  /** @returns {import('../types.js').ConnectionEvent} */
  get connection() {
    return /** @type {any} */ (this.#last.get('connection') ?? { e: 'connection', online: false });
  }
  /** @returns {import('../types.js').SettingsEvent} */
  get settings() {
    return /** @type {any} */ (
      this.#last.get('settings') ?? {
        e: 'settings',
        receipts: true,
        typing: true,
        lock_after_secs: 0,
        life_secs: 86_400,
        burn: 'never',
      }
    );
  }
  /** @returns {import('../types.js').Chat[]} */
  get chats() {
    return this.#last.get('chats')?.chats ?? [];
  }
  /** @returns {import('../types.js').Request[]} */
  get requests() {
    return this.#last.get('requests')?.requests ?? [];
  }
  /** @returns {import('../types.js').Person[]} */
  get blocked() {
    return this.#last.get('blocked')?.people ?? [];
  }
  /** @returns {import('../types.js').About | undefined} */
  get about() {
    return /** @type {any} */ (this.#last.get('about'));
  }

  /** @param {string} id */
  chat(id) {
    return this.chats.find((chat) => chat.chat === id);
  }

  /**
   * Calls `listener` for each event of this kind until `signal` is aborted.
   * @param {string} kind
   * @param {Listener} listener
   * @param {AbortSignal} signal
   */
  on(kind, listener, signal) {
    if (signal.aborted) return;
    const set = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, set);
    set.add(listener);
    signal.addEventListener('abort', () => set.delete(listener), { once: true });
  }

  /** @param {CoreEvent} event */
  #note(event) {
    const before = this.server;
    if (event.e === 'state' && event.state === 'unlocked') this.#meanwhile = '';
    if (event.e !== 'server' || !before) return;
    // Sessions end with a restore: it is noted also where that is not known yet.
    if (event.restored_at && event.restored_at !== before.restored_at) this.#meanwhile = 'restored';
    else if (event.boot_id !== before.boot_id && this.state.state !== 'unlocked') this.#meanwhile ||= 'restarted';
  }

  /** Forgets everything. */
  forget() {
    this.#last.clear();
  }

  /**
   * Takes an event in and tells the listeners; true when one of them says that it dealt with it.
   * @param {CoreEvent} event
   */
  apply(event) {
    this.#note(event);
    if (KEPT.has(event.e)) this.#last.set(event.e, event);
    if (event.e === 'state' && event.state !== 'unlocked') for (const kind of PRIVATE) this.#last.delete(kind);
    let handled = false;
    const listeners = this.#listeners.get(event.e) ?? new Set();
    for (const listener of [...listeners]) {
      // One before it may have ended it.
      if (listeners.has(listener)) handled = listener(event) === true || handled;
    }
    return handled;
  }
}

const KEPT = new Set(['server', 'state', 'connection', 'settings', 'chats', 'requests', 'blocked', 'about']);
const PRIVATE = ['settings', 'chats', 'requests', 'blocked'];
