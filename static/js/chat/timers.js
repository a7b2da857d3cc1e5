/** When messages go: the choices, the chip in the composer and its menu. */
import { clone, h, icon, slot } from '../lib/dom.js';
import { duration } from '../lib/format.js';
import { popover } from '../lib/popover.js';

/** @typedef {import('../types.js').Burn} Burn */

/** @type {[Burn, string][]} */
export const BURNS = [
  ['never', 'Never'],
  ['on_read', 'On reading'],
  ...[5, 10, 30, 60, 300, 3600, 86_400].map(
    (after) => /** @type {[Burn, string]} */ ([{ after }, `${duration(after)} after`]),
  ),
];

/** Seconds that a message may wait unread. */
export const LIVES = [5, 30, 60, 300, 3600, 28_800, 86_400, 259_200, 604_800];

/** @param {Burn} burn */
export const burnKey = (burn) => (typeof burn === 'string' ? burn : `after-${burn.after}`);

/** @param {string} key as `burnKey` makes it @returns {Burn} */
export const burnOf = (key) => (BURNS.find(([burn]) => burnKey(burn) === key) ?? BURNS[0])[0];

/**
 * What goes for what one writes in a chat.
 * @typedef {{burn: Burn, life: number}} Timer
 */

/**
 * Redraws the chip.
 * @param {HTMLElement} chip
 * @param {Timer} timer
 */
export function drawChip(chip, { burn, life }) {
  const short = burn === 'never' ? duration(life) : burn === 'on_read' ? 'On reading' : duration(burn.after);
  const long =
    burn === 'never'
      ? 'stays in open tabs after it was read'
      : burn === 'on_read'
        ? 'burns on reading'
        : `burns ${duration(burn.after)} after reading`;
  chip.dataset.burn = String(burn !== 'never');
  chip.dataset.value = burnKey(burn);
  chip.dataset.life = String(life);
  chip.setAttribute(
    'aria-label',
    `${short}. Timer of this chat: what you write ${long}, and goes after ${duration(life)} if nobody reads it. Change`,
  );
  chip.title = `What you write in this chat ${long}. If nobody reads it, it goes after ${duration(life)}.`;
  chip.replaceChildren(
    icon(burn === 'never' ? 'timer' : 'flame', 'icon--sm'),
    h('span', { 'aria-hidden': 'true' }, short),
  );
}

/**
 * Opens the menu over the chip.
 * @param {HTMLElement} chip
 * @param {Timer} timer
 * @param {(timer: Timer) => void} change
 */
export function timerMenu(chip, timer, change) {
  popover(chip, 'above', (part) => {
    const menu = clone('view-timers');
    const choice = (
      /** @type {'burn' | 'life'} */ name,
      /** @type {string | number} */ value,
      /** @type {boolean} */ checked,
    ) => h('input', { type: 'radio', name, value, checked, 'data-testid': `${name}-${value}` });
    for (const [value, text] of BURNS) {
      const key = burnKey(value);
      const radio = choice('burn', key, key === burnKey(timer.burn));
      slot(menu, 'burn').append(h('label', { 'data-burns': value !== 'never' }, radio, text));
    }
    for (const seconds of LIVES) {
      slot(menu, 'life').append(h('label', {}, choice('life', seconds, seconds === timer.life), duration(seconds)));
    }
    let now = timer;
    part.listen(menu, 'change', (event) => {
      const { name, value } = /** @type {HTMLInputElement} */ (event.target);
      if (name === 'burn') now = { ...now, burn: burnOf(value) };
      if (name === 'life') now = { ...now, life: Number(value) };
      change(now);
    });
    return menu;
  });
}
