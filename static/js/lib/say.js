/** Passing lines, spoken announcements and the badge in the tab's title. */
import { h } from './dom.js';
import { page } from './part.js';

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

/** How long a line counts as just said, milliseconds. */
const JUST_SAID = 1000;

/** Takes away what was said about a view that goes; what was said as it went stays. */
export function clearToasts() {
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (toasts.querySelectorAll('.toast'))) {
    if (performance.now() - Number(line.dataset.said) > JUST_SAID) line.remove();
  }
}

/**
 * Shows a line for a while; screen readers hear it.
 * @param {string} text
 */
export function toast(text) {
  overDialogs();
  const place = toasts;
  if ([...place.children].some((line) => line.firstElementChild?.textContent === text)) return;
  const line = h(
    'div',
    { class: 'toast', 'data-testid': 'toast', 'data-said': performance.now() },
    h('span', { class: 'grow' }, text),
  );
  while (place.children.length > 1) place.firstElementChild?.remove();
  place.append(line);
  page.after(4000 + text.length * 60, () => line.remove());
}

/** What anybody who knows the account can cause as often as they like. */
const UNREADABLE = ['malformed', 'cannot-open', 'unknown-suite', 'unknown-version', 'out-of-time'];

/** Milliseconds in which the same is counted and not shown again. */
const QUIET_MS = 180_000;

/** @type {Map<string, number>} How often each came since it was shown. */
const counted = new Map();

/**
 * Shows why something was refused. What is unreadable is shown once; what comes of it in the minutes after that is
 * counted and shown together.
 * @param {string} code
 * @param {string} text
 */
export function refusal(code, text) {
  const count = counted.get(code);
  if (count !== undefined) {
    counted.set(code, count + 1);
    return;
  }
  toast(text);
  if (UNREADABLE.includes(code)) countQuietly(code);
}

/** @param {string} code */
function countQuietly(code) {
  counted.set(code, 0);
  page.after(QUIET_MS, () => {
    const more = counted.get(code) ?? 0;
    counted.delete(code);
    if (more === 0) return;
    toast(more === 1 ? 'One more message could not be read.' : `${more} more messages could not be read.`);
    countQuietly(code);
  });
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;

/**
 * Says something to screen readers only.
 * @param {string} text
 */
export function announce(text) {
  overDialogs();
  announcer.textContent = '';
  page.cancel(silence);
  requestAnimationFrame(() => {
    announcer.textContent = text;
  });
  // What was said is not found there again by whoever reads through the page.
  silence = page.after(3000, () => {
    announcer.textContent = '';
  });
}

let name = document.title;
let unread = 0;

/**
 * Names the view in the title. Browsers write titles into their history on the disk: nothing of a person is in them.
 * @param {string} text
 */
export function title(text) {
  name = text === '' ? 'Secure Messaging' : `${text} · Secure Messaging`;
  write();
}

/** @param {number} count */
export function badge(count) {
  unread = count;
  write();
}

function write() {
  const text = unread > 0 ? `(${unread > 99 ? '99+' : unread}) ${name}` : name;
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
