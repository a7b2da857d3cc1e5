/** Passing lines, spoken announcements and the badge in the tab's title. */
import { h } from './dom.js';

const toasts = /** @type {HTMLElement} */ (document.getElementById('toasts'));
const announcer = /** @type {HTMLElement} */ (document.getElementById('announcer'));

/**
 * Puts the places for passing lines into the dialog on top, if there is one: under a dialog nothing can be pressed, and
 * screen readers hear nothing. Call it when a dialog opens or closes.
 */
export function overDialogs() {
  const over = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document.body;
  for (const place of [announcer, toasts]) if (place.parentElement !== over) over.append(place);
}

/**
 * Shows a line for a while; screen readers hear it.
 * @param {string} text
 * @param {{label: string, run: () => void}} [action]
 */
export function toast(text, action) {
  overDialogs();
  const place = toasts;
  if ([...place.children].some((line) => line.firstElementChild?.textContent === text)) return;
  const line = h('div', { class: 'toast', 'data-testid': 'toast' }, h('span', { class: 'grow' }, text));
  if (action) {
    line.append(h('button', { class: 'button button--small', type: 'button', onclick: () => { line.remove(); action.run(); } }, action.label));
  }
  while (place.children.length > 2) place.firstElementChild?.remove();
  place.append(line);
  setTimeout(() => line.remove(), 4000 + text.length * 60);
}

/**
 * Says something to screen readers only.
 * @param {string} text
 */
export function announce(text) {
  overDialogs();
  announcer.textContent = '';
  requestAnimationFrame(() => { announcer.textContent = text; });
}

let page = document.title;
let unread = 0;

/**
 * Names the view in the title. Browsers write titles into their history on the disk: nothing of a person is in them.
 * @param {string} text
 */
export function title(text) {
  page = text === '' ? 'Secure Messaging' : `${text} · Secure Messaging`;
  write();
}

/** @param {number} count */
export function badge(count) {
  unread = count;
  write();
}

function write() {
  const text = unread > 0 ? `(${unread > 99 ? '99+' : unread}) ${page}` : page;
  if (document.title !== text) document.title = text;
}

/**
 * Copies text, says so, and says what to do where the browser does not allow it.
 * @param {string} text
 * @param {string} what
 */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied. Other programs on this device can read what is copied.`);
  } catch {
    toast('This browser does not allow copying. Select the text and copy it by hand.');
  }
}
