/** Which messages were on the screen of a focused tab: those count as read. */
import { Part } from '../lib/part.js';

export class ShownMessages extends Part {
  #message;
  #tell;
  /** @type {Map<string, {most: boolean, middle: boolean}>} */
  #onScreen = new Map();
  /** @type {Set<string>} */
  #told = new Set();
  /** @type {Set<string>} */
  #asked = new Set();
  #observers;

  /**
   * @param {HTMLElement} scroll
   * @param {(id: string) => import('../types.js').Message | undefined} message
   * @param {{shown: (ids: string[]) => void, reveal: (id: string) => void}} tell `reveal` asks to open a message whose
   *   time runs from its showing
   * @param {Part} owner
   */
  constructor(scroll, message, tell, owner) {
    super(owner);
    this.#message = message;
    this.#tell = tell;
    // A message that fits is seen when most of it is; one that does not, when it covers the middle of the pane.
    const middle = { root: scroll, rootMargin: '-49% 0px -50%' };
    this.#observers = [
      this.#watch('most', { root: scroll, threshold: 0.6 }, (entry) => entry.intersectionRatio >= 0.6),
      this.#watch(
        'middle',
        middle,
        (entry) => entry.isIntersecting && entry.boundingClientRect.height > scroll.clientHeight,
      ),
    ];
  }

  /** Tells of what is on the screen, if somebody looks. */
  mark() {
    if (document.visibilityState !== 'visible' || !document.hasFocus()) return;
    const ids = [];
    for (const [id, { most, middle }] of this.#onScreen) {
      const found = this.#message(id);
      if (!(most || middle) || !found || found.mine || found.state !== 'unread') continue;
      if (found.sealed && found.text === null) {
        if (typeof found.burn === 'object' && !this.#asked.has(id)) {
          this.#asked.add(id);
          this.#tell.reveal(id);
        }
      } else if (!this.#told.has(id)) {
        this.#told.add(id);
        ids.push(id);
      }
    }
    if (ids.length > 0) this.#tell.shown(ids);
  }

  /** @param {HTMLElement} item */
  observe(item) {
    for (const observer of this.#observers) observer.observe(item);
  }

  /** @param {HTMLElement} item */
  unobserve(item) {
    for (const observer of this.#observers) observer.unobserve(item);
    this.#onScreen.delete(item.dataset.id ?? '');
  }

  /** The person asked for it: it is not asked for once more. @param {string} id */
  revealed(id) {
    this.#asked.add(id);
  }

  /**
   * @param {'most' | 'middle'} part
   * @param {IntersectionObserverInit} how
   * @param {(entry: IntersectionObserverEntry) => boolean} seen
   */
  #watch(part, how, seen) {
    const observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const id = /** @type {HTMLElement} */ (entry.target).dataset.id ?? '';
        const parts = this.#onScreen.get(id) ?? { most: false, middle: false };
        parts[part] = seen(entry);
        this.#onScreen.set(id, parts);
      }
      this.mark();
    }, how);
    this.atEnd(() => observer.disconnect());
    return observer;
  }
}
