/**
 * What lies over the page, such as a dialog, a menu, or on a phone the open chat. The browser's Back closes what is on
 * top and nothing else: each layer is an entry of the history, and leaves it when it is closed otherwise.
 */

import { page } from './part.js';

/** @type {{close: () => void}[]} */
const open = [];
/** Until a step through the history that was asked for here has been taken. */
let travelling = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let patience;
/** What waits for that. @type {(() => void)[]} */
const waiting = [];

const depth = () => /** @type {{layers?: number} | null} */ (history.state)?.layers ?? 0;

/** Makes the history as deep as the layers are many. */
function settle() {
  if (travelling) return;
  if (depth() > open.length) {
    travelling = true;
    history.go(open.length - depth());
    patience = page.after(5000, forget);
    return;
  }
  while (depth() < open.length) history.pushState({ ...history.state, layers: depth() + 1 }, '');
  for (const run of waiting.splice(0)) run();
}

function arrived() {
  page.cancel(patience);
  travelling = false;
  settle();
}

/** The browser no longer has the entry that was asked for: the one that is there stands for it. */
function forget() {
  history.replaceState({ ...history.state, layers: open.length }, '');
  arrived();
}

page.listen(window, 'popstate', () => {
  if (travelling) {
    arrived();
    return;
  }
  while (open.length > depth()) open.pop()?.close();
  settle();
});

/**
 * Runs what adds to the history, after the entries of closed layers have left it.
 * @param {() => void} run
 */
export function onTop(run) {
  waiting.push(run);
  settle();
}

/**
 * Puts something over the page. It is taken away by what this gives back, or by the person going back.
 * @param {() => void} close
 * @returns {() => void} says that it is closed
 */
export function layer(close) {
  const mine = { close };
  open.push(mine);
  settle();
  return () => {
    const at = open.indexOf(mine);
    if (at < 0) return;
    open.splice(at, 1);
    // Later, because what closes one layer often opens the next.
    page.after(0, settle);
  };
}
