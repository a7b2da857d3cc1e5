/** A window with an address and a history, as far as router and layers look at them. */

class FakeHistory {
  /** @type {{state: any, url: string}[]} */
  entries;
  at = 0;

  /** @param {string} url */
  constructor(url) {
    this.entries = [{ state: null, url }];
  }

  get state() {
    return this.entries[this.at].state;
  }

  get url() {
    return new URL(this.entries[this.at].url, 'https://chat.example');
  }

  /** @param {any} state @param {string} _title @param {string} [url] */
  pushState(state, _title, url) {
    this.entries.splice(this.at + 1, Infinity, { state, url: url || this.entries[this.at].url });
    this.at += 1;
  }

  /** @param {any} state @param {string} _title @param {string} [url] */
  replaceState(state, _title, url) {
    this.entries[this.at] = { state, url: url || this.entries[this.at].url };
  }

  /** As a browser does it, later. @param {number} by */
  go(by) {
    setTimeout(() => {
      this.at += by;
      globalThis.window.dispatchEvent(new Event('popstate'));
    });
  }
}

/** Puts a window in place, before the modules under test are loaded. @param {string} url */
export function fakeWindow(url) {
  const history = new FakeHistory(url);
  const location = {
    get pathname() {
      return history.url.pathname;
    },
    get hash() {
      return history.url.hash;
    },
  };
  Object.assign(globalThis, { window: new EventTarget(), document: new EventTarget(), history, location });
  return history;
}

/** Until what waits for its turn has had it, and what came of that as well. */
export async function settled() {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((done) => setTimeout(done));
}
