/**
 * What this browser keeps between visits, in IndexedDB. Sealed values are encrypted with a key that this
 * browser made and that no script can read.
 */

const VALUES = 'values';
const KEYS = 'keys';

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
const answer = (request) =>
  new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error));
  });

export class Keep {
  /** Stands in where storage is switched off; then a reload asks for the passphrase. */
  #memory = new Map();
  /** @type {Promise<IDBDatabase | null>} */
  #open;
  /** One operation after the other: a load after a store sees it. */
  #queue = Promise.resolve(/** @type {any} */ (undefined));

  constructor() {
    this.#open = new Promise((resolve) => {
      try {
        const request = indexedDB.open('secure-messaging', 1);
        request.addEventListener('upgradeneeded', () => {
          request.result.createObjectStore(VALUES);
          request.result.createObjectStore(KEYS);
        });
        request.addEventListener('success', () => resolve(request.result));
        request.addEventListener('error', () => resolve(null));
      } catch {
        resolve(null);
      }
    });
  }

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T | undefined>}
   */
  #next(work) {
    const turn = this.#queue.then(work).catch(() => undefined);
    this.#queue = turn;
    return turn;
  }

  /** @param {IDBDatabase} database @returns {Promise<CryptoKey>} */
  async #key(database) {
    const found = await answer(database.transaction(KEYS).objectStore(KEYS).get('browser'));
    if (found) return found;
    const made = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
    await answer(database.transaction(KEYS, 'readwrite').objectStore(KEYS).put(made, 'browser'));
    return made;
  }

  /**
   * @param {string} key
   * @param {Uint8Array<ArrayBuffer>} value
   * @param {boolean} sealed
   */
  store(key, value, sealed) {
    return this.#next(async () => {
      const database = await this.#open;
      if (!database) {
        this.#memory.set(key, value.slice());
        return;
      }
      let kept = value.slice();
      if (sealed) {
        const iv = crypto.getRandomValues(new Uint8Array(12));
        const additionalData = new TextEncoder().encode(key);
        const cipher = new Uint8Array(
          await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, await this.#key(database), value),
        );
        value.fill(0);
        kept = new Uint8Array(12 + cipher.length);
        kept.set(iv);
        kept.set(cipher, 12);
      }
      await answer(database.transaction(VALUES, 'readwrite').objectStore(VALUES).put(kept, key));
    });
  }

  /**
   * @param {string} key
   * @param {boolean} sealed
   * @returns {Promise<Uint8Array | undefined>}
   */
  load(key, sealed) {
    return this.#next(async () => {
      const database = await this.#open;
      if (!database) return this.#memory.get(key);
      /** @type {Uint8Array<ArrayBuffer> | undefined} */
      const kept = await answer(database.transaction(VALUES).objectStore(VALUES).get(key));
      if (!kept || !sealed) return kept;
      const additionalData = new TextEncoder().encode(key);
      return new Uint8Array(
        await crypto.subtle.decrypt(
          { name: 'AES-GCM', iv: kept.slice(0, 12), additionalData },
          await this.#key(database),
          kept.slice(12),
        ),
      );
    });
  }

  /** Ends it when everything before is done. */
  close() {
    return this.#next(async () => {
      this.#memory.clear();
      (await this.#open)?.close();
    });
  }

  /** @param {string} key */
  erase(key) {
    return this.#next(async () => {
      this.#memory.delete(key);
      const database = await this.#open;
      if (database) await answer(database.transaction(VALUES, 'readwrite').objectStore(VALUES).delete(key));
    });
  }
}
