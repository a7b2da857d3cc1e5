/** Keyboard shortcuts; none that browsers keep for themselves. */

/**
 * @param {{switcher: () => void, shortcuts: () => void, step: (by: number, unread: boolean) => void, escape: () => void}} run
 * @returns {() => void} takes them away
 */
export function shortcuts(run) {
  const listener = (/** @type {KeyboardEvent} */ event) => {
    const mod = event.ctrlKey || event.metaKey;
    if (mod && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      run.switcher();
    } else if (mod && !event.altKey && event.key === '/') {
      event.preventDefault();
      run.shortcuts();
    } else if (event.altKey && !mod && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      run.step(event.key === 'ArrowUp' ? -1 : 1, event.shiftKey);
    } else if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) {
      run.escape();
    }
  };
  addEventListener('keydown', listener);
  return () => removeEventListener('keydown', listener);
}
