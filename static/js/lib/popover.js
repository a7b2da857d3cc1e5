/** Menus that open beside the button they belong to. */
import { layer } from './layers.js';

/** @type {(() => void) | null} */
let closeOpen = null;

/** How far a menu stays from the edges of the window, pixels. */
const ROOM = 8;
/** How far it stays from its button, pixels. */
const GAP = 6;

/**
 * Opens `menu` beside `anchor`; a second call with the same anchor closes it.
 * @param {HTMLElement} anchor
 * @param {HTMLElement} menu
 * @param {'below' | 'above'} [side]
 * @returns {() => void} closes it
 */
export function popover(anchor, menu, side = 'below') {
  if (anchor.getAttribute('aria-expanded') === 'true') {
    closeOpen?.();
    return () => {};
  }
  closeOpen?.();
  // Pressing between its items leaves the focus in the menu.
  menu.tabIndex = -1;
  (anchor.closest('main') ?? document.body).append(menu);
  anchor.setAttribute('aria-expanded', 'true');
  place(anchor, menu, side);
  const items = () =>
    /** @type {HTMLElement[]} */ ([...menu.querySelectorAll('[role="menuitem"]:not([hidden]), button, input')]);
  const outside = (/** @type {Event} */ event) => {
    const target = /** @type {Node} */ (event.target);
    if (!menu.contains(target) && !anchor.contains(target)) close();
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      event.preventDefault();
      close();
      return;
    }
    if (menu.getAttribute('role') !== 'menu') return;
    if (event.key === 'Tab') close();
    const list = items();
    const at = list.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = /** @type {Record<string, number>} */ ({
      ArrowDown: at + 1,
      ArrowUp: at - 1 + list.length,
      Home: 0,
      End: list.length - 1,
    })[event.key];
    if (to === undefined) return;
    event.preventDefault();
    list[to % list.length]?.focus();
  };
  // A keyboard that goes, a turned phone: the menu stays and finds its place again.
  const moved = () => {
    if (anchor.isConnected) place(anchor, menu, side);
    else close();
  };
  const close = () => {
    if (closeOpen !== close) return;
    closeOpen = null;
    anchor.setAttribute('aria-expanded', 'false');
    if (menu.contains(document.activeElement)) anchor.focus({ preventScroll: true });
    menu.remove();
    removeEventListener('pointerdown', outside, true);
    removeEventListener('keydown', keys, true);
    removeEventListener('resize', moved);
    over();
  };
  addEventListener('pointerdown', outside, true);
  addEventListener('keydown', keys, true);
  addEventListener('resize', moved);
  menu.addEventListener('focusout', ({ relatedTarget: to }) => {
    if (to instanceof Node && !menu.contains(to) && !anchor.contains(to)) close();
  });
  menu.addEventListener('click', (event) => {
    if (/** @type {Element} */ (event.target).closest('[role="menuitem"]')) close();
  });
  closeOpen = close;
  const over = layer(close);
  const first = /** @type {HTMLElement | null} */ (menu.querySelector('input:checked')) ?? items()[0];
  first?.focus({ preventScroll: true });
  first?.scrollIntoView({ block: 'nearest' });
  return close;
}

/** Closes whatever menu is open. */
export function closePopover() {
  closeOpen?.();
}

/**
 * Beside its button where there is room for it, else anywhere in the window; what does not fit scrolls inside.
 * @param {HTMLElement} anchor
 * @param {HTMLElement} menu
 * @param {'below' | 'above'} side
 */
function place(anchor, menu, side) {
  const at = anchor.getBoundingClientRect();
  menu.style.position = 'fixed';
  menu.style.maxBlockSize = `${innerHeight - 2 * ROOM}px`;
  menu.style.maxInlineSize = `${innerWidth - 2 * ROOM}px`;
  // Not the bounding box: the menu is still growing into its size.
  const size = { width: menu.offsetWidth, height: menu.offsetHeight };
  const fitsBelow = at.bottom + GAP + size.height + ROOM <= innerHeight;
  const fitsAbove = at.top - GAP - size.height >= ROOM;
  const below = side === 'below' ? fitsBelow || !fitsAbove : !fitsAbove;
  const top = below ? at.bottom + GAP : at.top - size.height - GAP;
  const left = at.left + size.width + ROOM > innerWidth ? at.right - size.width : at.left;
  menu.style.left = `${Math.max(ROOM, Math.min(left, innerWidth - size.width - ROOM))}px`;
  menu.style.top = `${Math.max(ROOM, Math.min(top, innerHeight - size.height - ROOM))}px`;
}
