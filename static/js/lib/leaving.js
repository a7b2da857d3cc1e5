/** Asks before a page goes, where something would be lost with it. */

/** @param {() => boolean} loses whether something would be lost now */
export function askBeforeLeaving(loses) {
  addEventListener('beforeunload', (event) => {
    if (loses()) event.preventDefault();
  });
}
