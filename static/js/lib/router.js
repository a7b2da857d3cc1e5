/** Paths are changed in place: a page load would end the core and with it what was read. */

import { onTop } from './layers.js';
import { page } from './part.js';

/** @type {Set<() => void>} */
const watchers = new Set();
let fragment = '';

/** The path of the view. */
export const path = () => location.pathname;

/** The fragment that the page was opened with, or that was pasted since; it is taken out of the address at once. */
export const openedWith = () => fragment;

/**
 * Whether the page was opened with a link whose secret is gone, because it was loaded again or gone back to: the entry of
 * the history knows that there was one, and not what it was.
 */
export const lostLink = () => fragment === '' && /** @type {{link?: boolean} | null} */ (history.state)?.link === true;

/** Whether the page was opened with a whole invite link that nobody has used here. */
export const byInvite = () => /^[0-9a-f]{32}\.[0-9a-f]{32}\.[0-9a-f]{64}$/.test(fragment);

/** The link was used, or is of no use to whoever is signed in. */
export function forgetLink() {
  fragment = '';
}

/** Call once, before anything else looks at the address. */
export function takeFragment() {
  if (location.hash.length > 1 && /^\/(setup|i)$/.test(location.pathname)) {
    fragment = location.hash.slice(1);
    history.replaceState({ ...history.state, link: true }, '', location.pathname);
    return true;
  }
  return false;
}

/**
 * Tells of a link that is pasted over the address of this very page: the browser loads nothing for it.
 * @param {() => void} watcher
 */
export function watchFragment(watcher) {
  page.listen(window, 'hashchange', () => {
    if (takeFragment()) watcher();
  });
}

/** What the address calls the open chat. */
export const spot = () => (location.pathname === '/chat' ? location.hash.slice(1) : '');
let noted = spot();

function writeSpot() {
  if (location.pathname === '/chat' && noted !== spot())
    history.replaceState(history.state, '', noted ? `/chat#${noted}` : '/chat');
}

/**
 * Notes the open chat in the address, for a reload.
 * @param {string} of
 */
export function note(of) {
  noted = of;
  writeSpot();
}

/**
 * Goes to a path.
 * @param {string} to
 * @param {boolean} [replace]
 */
export function go(to, replace = false) {
  if (to === location.pathname) return;
  if (replace) {
    history.replaceState(null, '', to);
    for (const watcher of watchers) watcher();
    return;
  }
  onTop(() => {
    history.pushState(fragment === '' ? null : { link: true }, '', to);
    for (const watcher of watchers) watcher();
  });
}

/** @param {() => void} watcher */
export function watch(watcher) {
  watchers.add(watcher);
}

// An entry of the history is as old as its address: what is open now is what counts.
page.listen(window, 'popstate', () => {
  writeSpot();
  for (const watcher of watchers) watcher();
});
page.listen(document, 'click', (event) => {
  const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest('a[data-link]'));
  if (!link || event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(new URL(link.href).pathname);
});
