/** Menus that open beside the button they belong to. */

/** @type {(() => void) | null} */
let closeOpen = null;

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
  (anchor.closest('main') ?? document.body).append(menu);
  anchor.setAttribute('aria-expanded', 'true');
  place(anchor, menu, side);
  const items = () => /** @type {HTMLElement[]} */ ([...menu.querySelectorAll('[role="menuitem"]:not([hidden]), button, input')]);
  const outside = (/** @type {Event} */ event) => {
    const target = /** @type {Node} */ (event.target);
    if (!menu.contains(target) && !anchor.contains(target)) close();
  };
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      event.preventDefault();
      close();
      anchor.focus();
    } else if (menu.getAttribute('role') === 'menu' && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      const list = items();
      const at = list.indexOf(/** @type {HTMLElement} */ (document.activeElement));
      list[(at + (event.key === 'ArrowDown' ? 1 : -1) + list.length) % list.length]?.focus();
    } else if (event.key === 'Tab' && menu.getAttribute('role') === 'menu') {
      close();
    }
  };
  const close = () => {
    closeOpen = null;
    anchor.setAttribute('aria-expanded', 'false');
    menu.remove();
    removeEventListener('pointerdown', outside, true);
    removeEventListener('keydown', keys, true);
    removeEventListener('resize', close);
    removeEventListener('popstate', close);
  };
  addEventListener('pointerdown', outside, true);
  addEventListener('keydown', keys, true);
  addEventListener('resize', close);
  addEventListener('popstate', close);
  menu.addEventListener('click', (event) => {
    if (/** @type {Element} */ (event.target).closest('[role="menuitem"]')) close();
  });
  closeOpen = close;
  (menu.querySelector('input:checked') instanceof HTMLElement ? /** @type {HTMLElement} */ (menu.querySelector('input:checked')) : items()[0])?.focus();
  return close;
}

/** Closes whatever menu is open. */
export function closePopover() {
  closeOpen?.();
}

/**
 * @param {HTMLElement} anchor
 * @param {HTMLElement} menu
 * @param {'below' | 'above'} side
 */
function place(anchor, menu, side) {
  const at = anchor.getBoundingClientRect();
  // Not the bounding box: the menu is still growing into its size.
  const size = { width: menu.offsetWidth, height: menu.offsetHeight };
  const room = 8;
  const below = side === 'below' ? at.bottom + 6 + size.height < innerHeight : at.top - 6 - size.height < 0;
  const left = at.left + size.width + room > innerWidth ? Math.max(room, at.right - size.width) : at.left;
  menu.style.position = 'fixed';
  menu.style.insetInlineStart = `${Math.max(room, Math.min(left, innerWidth - size.width - room))}px`;
  menu.style.insetBlockStart = `${Math.max(room, below ? at.bottom + 6 : at.top - size.height - 6)}px`;
  menu.style.insetBlockEnd = 'auto';
}
