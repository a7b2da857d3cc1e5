/**
 * Arrow keys go from message to message; what can be pressed in a message is reached by Tab from that message only, so
 * that a long chat is one stop between header and composer.
 */

/**
 * @param {HTMLElement} scroll
 * @param {{items: () => HTMLLIElement[], grow: () => void}} log
 */
export function messageArrows(scroll, log) {
  /** The message whose buttons Tab reaches: where the focus was last, else the newest. @type {HTMLLIElement | null} */
  let current = null;

  /** @param {HTMLElement | null} item @param {boolean} on */
  function reach(item, on) {
    for (const control of item?.querySelectorAll('button, a') ?? [])
      /** @type {HTMLElement} */ (control).tabIndex = on ? 0 : -1;
  }

  /** @param {HTMLLIElement | null} item */
  function choose(item) {
    if (item === current) return;
    reach(current, false);
    current = item;
    reach(current, true);
  }

  scroll.addEventListener('focusin', (event) => {
    const item = /** @type {HTMLLIElement | null} */ (/** @type {Element} */ (event.target).closest('.msg'));
    if (item) choose(item);
  });
  scroll.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const target = /** @type {Element} */ (event.target);
    const item = /** @type {HTMLLIElement | null} */ (target.closest('.msg'));
    if (target !== scroll && !item) return;
    if (event.key === 'Enter' && target === item) {
      event.preventDefault();
      /** @type {HTMLElement | null} */ (
        item.querySelector('[data-action="reveal"]') ?? item.querySelector('button')
      )?.click();
      return;
    }
    const steps = /** @type {Record<string, number>} */ ({ ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity });
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const items = log.items();
    const at = item ? items.indexOf(item) : step < 0 ? items.length : -1;
    const next = items[Math.max(0, Math.min(items.length - 1, at + step))];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: 'nearest' });
    log.grow();
  });

  return {
    /** A message was drawn. @param {HTMLLIElement} item */
    drawn(item) {
      const newest = item.nextElementSibling === null && !current?.contains(document.activeElement);
      if (newest) choose(item);
      reach(item, item === current);
    },
    /** A message is taken away. @param {HTMLLIElement} item */
    dropped(item) {
      if (item === current) current = null;
    },
  };
}
