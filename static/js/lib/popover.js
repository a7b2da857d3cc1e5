/** Menus that open beside the button they belong to. */
import { layer } from './layers.js';
import { Part } from './part.js';

/** How far a menu stays from the edges of the window, pixels. */
const ROOM = 8;
/** How far it stays from its button, pixels. */
const GAP = 6;

/** @typedef {'below' | 'above'} Side */

class Popover extends Part {
  #anchor;
  #menu;
  #side;
  #over;

  /**
   * @param {HTMLElement} anchor
   * @param {Side} side
   * @param {(menu: Part) => HTMLElement} fill
   */
  constructor(anchor, side, fill) {
    super();
    this.#anchor = anchor;
    this.#side = side;
    this.#menu = fill(this);
    // Pressing between its items leaves the focus in the menu.
    this.#menu.tabIndex = -1;
    (anchor.closest('main') ?? document.body).append(this.#menu);
    anchor.setAttribute('aria-expanded', 'true');
    this.#place();
    this.listen(window, 'pointerdown', (event) => this.#pressed(event), { capture: true });
    this.listen(window, 'keydown', (event) => this.#key(event), { capture: true });
    // A keyboard that goes, a turned phone: the menu stays and finds its place again.
    this.listen(window, 'resize', () => (anchor.isConnected ? this.#place() : this.stop()));
    this.listen(this.#menu, 'focusout', ({ relatedTarget: to }) => {
      if (to instanceof Node && !this.#has(to)) this.stop();
    });
    this.listen(this.#menu, 'click', (event) => {
      if (/** @type {Element} */ (event.target).closest('[role="menuitem"]')) this.stop();
    });
    this.#over = layer(() => this.stop());
    const checked = /** @type {HTMLElement | null} */ (this.#menu.querySelector('input:checked'));
    const first = checked ?? this.#items()[0];
    first?.focus({ preventScroll: true });
    first?.scrollIntoView({ block: 'nearest' });
  }

  /** @override */
  stop() {
    if (this.ended) return;
    super.stop();
    if (open === this) open = null;
    this.#anchor.setAttribute('aria-expanded', 'false');
    if (this.#menu.contains(document.activeElement)) this.#anchor.focus({ preventScroll: true });
    this.#menu.remove();
    this.#over();
  }

  /** @param {Node} node */
  #has(node) {
    return this.#menu.contains(node) || this.#anchor.contains(node);
  }

  #items() {
    const items = this.#menu.querySelectorAll('[role="menuitem"]:not([hidden]), button, input');
    return /** @type {HTMLElement[]} */ ([...items]);
  }

  /** @param {Event} event */
  #pressed(event) {
    if (!this.#has(/** @type {Node} */ (event.target))) this.stop();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key === 'Escape') {
      event.stopPropagation();
      event.preventDefault();
      this.stop();
      return;
    }
    if (this.#menu.getAttribute('role') !== 'menu') return;
    const list = this.#items();
    const at = list.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1 + list.length, Home: 0, End: list.length - 1 };
    const to = /** @type {Record<string, number>} */ (steps)[event.key];
    if (event.key === 'Tab') this.stop();
    if (to === undefined) return;
    event.preventDefault();
    list[to % list.length]?.focus();
  }

  /** Beside its button where there is room for it, else anywhere in the window; what does not fit scrolls inside. */
  #place() {
    const menu = this.#menu;
    const at = this.#anchor.getBoundingClientRect();
    menu.style.position = 'fixed';
    menu.style.maxBlockSize = `${innerHeight - 2 * ROOM}px`;
    menu.style.maxInlineSize = `${innerWidth - 2 * ROOM}px`;
    // Not the bounding box: the menu is still growing into its size.
    const size = { width: menu.offsetWidth, height: menu.offsetHeight };
    const fitsBelow = at.bottom + GAP + size.height + ROOM <= innerHeight;
    const fitsAbove = at.top - GAP - size.height >= ROOM;
    const below = this.#side === 'below' ? fitsBelow || !fitsAbove : !fitsAbove;
    const top = below ? at.bottom + GAP : at.top - size.height - GAP;
    const left = at.left + size.width + ROOM > innerWidth ? at.right - size.width : at.left;
    menu.style.left = `${Math.max(ROOM, Math.min(left, innerWidth - size.width - ROOM))}px`;
    menu.style.top = `${Math.max(ROOM, Math.min(top, innerHeight - size.height - ROOM))}px`;
  }
}

/** @type {Popover | null} */
let open = null;

/**
 * Opens a menu beside `anchor`, or closes the one that is open there.
 * @param {HTMLElement} anchor
 * @param {Side} side
 * @param {(menu: Part) => HTMLElement} fill makes the menu; what the given part listens to ends with the menu
 */
export function popover(anchor, side, fill) {
  const was = anchor.getAttribute('aria-expanded') === 'true';
  closePopover();
  if (!was) open = new Popover(anchor, side, fill);
}

/** Closes whatever menu is open. */
export function closePopover() {
  open?.stop();
}
