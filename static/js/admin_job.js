/** What sections of the administration page share: their parts, a bar, and asking again while a job runs. */

import { h } from './lib/dom.js';

const BUSY_MS = 500;
const IDLE_MS = 15_000;

/** All times of this page are UTC, as those of the log are. @param {number} seconds unix */
export const moment = (seconds) =>
  `${new Date(seconds * 1000).toLocaleString(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' })} UTC`;

/** @param {number} count */
export const size = (count) => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = count > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(count) / 10)) : 0;
  return `${(count / 1024 ** step).toFixed(step > 0 ? 1 : 0)} ${units[step]}`;
};

/** The part of the page that stands under one name. */
export class Section {
  /** @param {string} name */
  constructor(name) {
    this.name = name;
    this.root = /** @type {HTMLElement | null} */ (document.querySelector(`[data-${name}]`));
  }

  /** @param {string} name */
  part(name) {
    return /** @type {HTMLElement} */ (this.root?.querySelector(`[data-${this.name}-${name}]`));
  }

  /**
   * Shows how far something is.
   * @param {number} done
   * @param {number} total
   */
  progress(done, total) {
    const bar = /** @type {HTMLProgressElement} */ (this.root?.querySelector('progress'));
    bar.max = Math.max(done, total, 1);
    bar.value = done;
  }

  /**
   * Says something once; a screen reader is not told the same again.
   * @param {string} text
   */
  say(text) {
    const status = this.part('status');
    if (status.textContent !== text) status.textContent = text;
  }

  /** @param {boolean} disabled */
  disable(disabled) {
    for (const button of this.root?.querySelectorAll('button') ?? []) button.disabled = disabled;
  }
}

/**
 * Asks before something large begins.
 * @param {string} question
 * @param {string} yes
 * @returns {Promise<boolean>}
 */
const agreed = (question, yes) =>
  new Promise((resolve) => {
    const answer = (/** @type {string} */ value) => () => dialog.close(value);
    const no = h(
      'button',
      { class: 'button button--line', type: 'button', 'data-testid': 'confirm-no', onclick: answer('') },
      'Cancel',
    );
    const dialog = h(
      'dialog',
      {
        class: 'dialog',
        'aria-labelledby': 'ask-title',
        'aria-describedby': 'ask-text',
        'data-testid': 'confirm-dialog',
      },
      h('div', { class: 'dialog__head' }, h('h2', { id: 'ask-title' }, `${yes}?`)),
      h(
        'div',
        { class: 'dialog__body' },
        h('p', { class: 'muted', id: 'ask-text' }, question),
        h(
          'div',
          { class: 'dialog__foot' },
          no,
          h('button', { class: 'button', type: 'button', 'data-testid': 'confirm-yes', onclick: answer('yes') }, yes),
        ),
      ),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  });

/**
 * Keeps a section up to date, and begins what its buttons ask for.
 * @param {Section} section
 * @param {string} address what is shown
 * @param {(answer: any) => boolean} draw shows an answer and says whether a job runs
 * @param {(wish: string) => Promise<Response>} begin asks for what a button is about
 */
export const watch = (section, address, draw, begin) => {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const look = async () => {
    clearTimeout(timer);
    let running = false;
    try {
      const answer = await fetch(address, { headers: { accept: 'application/json' } });
      if (answer.ok) running = draw(await answer.json());
      else section.say(`The ${section.name} cannot be shown now. Reload the page.`);
    } catch {
      section.say('The server does not answer. It is asked again.');
    }
    timer = setTimeout(look, running ? BUSY_MS : IDLE_MS);
  };
  const attribute = `data-${section.name}-begin`;
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll(`[${attribute}]`))) {
    button.addEventListener('click', async () => {
      const { ask: question, yes } = button.dataset;
      if (question && !(await agreed(question, yes ?? 'Go on'))) return;
      button.disabled = true;
      try {
        const answer = await begin(button.getAttribute(attribute) ?? '');
        if (answer.ok) return await look();
        section.say((await answer.json()).detail);
      } catch {
        section.say('The server does not answer. Nothing was begun.');
      }
      button.disabled = false;
    });
  }
  if (section.root) look();
};
