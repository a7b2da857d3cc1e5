/** Which messages were on the screen of a focused tab: those count as read. */

/**
 * @param {HTMLElement} scroll
 * @param {(id: string) => import('../types.js').Message | undefined} message
 * @param {(ids: string[]) => void} shown
 * @param {(id: string) => void} reveal asks to open a message whose time runs from its showing
 */
export function shownMessages(scroll, message, shown, reveal) {
  /** @type {Map<string, {most: boolean, middle: boolean}>} */
  const onScreen = new Map();
  /** @type {Set<string>} */
  const told = new Set();
  /** @type {Set<string>} */
  const asked = new Set();

  function mark() {
    if (document.visibilityState !== 'visible' || !document.hasFocus()) return;
    const ids = [];
    for (const [id, { most, middle }] of onScreen) {
      const found = message(id);
      if (!(most || middle) || !found || found.mine || found.state !== 'unread') continue;
      if (found.sealed && found.text === null) {
        if (typeof found.burn === 'object' && !asked.has(id)) {
          asked.add(id);
          reveal(id);
        }
      } else if (!told.has(id)) {
        told.add(id);
        ids.push(id);
      }
    }
    if (ids.length > 0) shown(ids);
  }

  /** @param {'most' | 'middle'} part @param {IntersectionObserverInit} how @param {(entry: IntersectionObserverEntry) => boolean} seen */
  const watch = (part, how, seen) =>
    new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const id = /** @type {HTMLElement} */ (entry.target).dataset.id ?? '';
        const parts = onScreen.get(id) ?? { most: false, middle: false };
        parts[part] = seen(entry);
        onScreen.set(id, parts);
      }
      mark();
    }, how);
  // A message that fits is seen when most of it is; one that does not, when it covers the middle of the pane.
  const observers = [
    watch('most', { root: scroll, threshold: 0.6 }, (entry) => entry.intersectionRatio >= 0.6),
    watch(
      'middle',
      { root: scroll, rootMargin: '-49% 0px -50%' },
      (entry) => entry.isIntersecting && entry.boundingClientRect.height > scroll.clientHeight,
    ),
  ];

  return {
    mark,
    /** @param {HTMLElement} item */
    observe: (item) => {
      for (const observer of observers) observer.observe(item);
    },
    /** @param {HTMLElement} item */
    unobserve: (item) => {
      for (const observer of observers) observer.unobserve(item);
      onScreen.delete(item.dataset.id ?? '');
    },
    /** The person asked for it: it is not asked for once more. @param {string} id */
    revealed: (id) => {
      asked.add(id);
    },
    stop: () => {
      for (const observer of observers) observer.disconnect();
    },
  };
}
