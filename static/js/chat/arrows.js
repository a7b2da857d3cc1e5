/**
 * Arrow keys go from message to message; what can be pressed in a message is reached by Tab from that message only, so
 * that a long chat is one stop between header and composer.
 */
import { Part } from '../lib/part.js';

/** @param {Element} target */
const messageAt = (target) => /** @type {HTMLLIElement | null} */ (target.closest('.msg'));

/** @param {HTMLElement | null} item @param {boolean} on */
function reach(item, on) {
  for (const control of item?.querySelectorAll('button, a') ?? [])
    /** @type {HTMLElement} */ (control).tabIndex = on ? 0 : -1;
}

export class MessageArrows extends Part {
  #scroll;
  #log;
  /** The message whose buttons Tab reaches: where the focus was last, else the newest. @type {HTMLLIElement | null} */
  #current = null;

  /**
   * @param {HTMLElement} scroll
   * @param {{items: () => HTMLLIElement[], grow: () => void}} log
   * @param {Part} owner
   */
  constructor(scroll, log, owner) {
    super(owner);
    this.#scroll = scroll;
    this.#log = log;
    this.listen(scroll, 'focusin', (event) => {
      const item = messageAt(/** @type {Element} */ (event.target));
      if (item) this.#choose(item);
    });
    this.listen(scroll, 'keydown', (event) => this.#key(event));
  }

  /** A message was drawn. @param {HTMLLIElement} item */
  drawn(item) {
    const newest = item.nextElementSibling === null && !this.#current?.contains(document.activeElement);
    if (newest) this.#choose(item);
    reach(item, item === this.#current);
  }

  /** A message is taken away. @param {HTMLLIElement} item */
  dropped(item) {
    if (item === this.#current) this.#current = null;
  }

  /** @param {HTMLLIElement | null} item */
  #choose(item) {
    if (item === this.#current) return;
    reach(this.#current, false);
    this.#current = item;
    reach(this.#current, true);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const target = /** @type {Element} */ (event.target);
    const item = messageAt(target);
    if (target !== this.#scroll && !item) return;
    if (event.key === 'Enter' && item && target === item) {
      event.preventDefault();
      const reveal = /** @type {HTMLElement | null} */ (item.querySelector('[data-action="reveal"]'));
      (reveal ?? item.querySelector('button'))?.click();
      return;
    }
    const step = /** @type {Record<string, number>} */ ({ ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity })[
      event.key
    ];
    if (step === undefined) return;
    event.preventDefault();
    const items = this.#log.items();
    const at = item ? items.indexOf(item) : step < 0 ? items.length : -1;
    const next = items[Math.max(0, Math.min(items.length - 1, at + step))];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: 'nearest' });
    this.#log.grow();
  }
}
