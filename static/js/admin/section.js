/** What sections of the administration page share: their parts, a bar, and asking again while a job runs. */
import { h } from '../lib/dom.js';
import { Part } from '../lib/part.js';

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
export class Section extends Part {
  /** @param {string} name */
  constructor(name) {
    super();
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

/** Asks before something large begins. */
class Question extends Part {
  /**
   * @param {string} question
   * @param {string} yes
   * @param {(agreed: boolean) => void} answered
   */
  constructor(question, yes, answered) {
    super();
    const no = h('button', { class: 'button button--line', type: 'button', 'data-testid': 'confirm-no' }, 'Cancel');
    const go = h('button', { class: 'button', type: 'button', 'data-testid': 'confirm-yes' }, yes);
    const about = { 'aria-labelledby': 'ask-title', 'aria-describedby': 'ask-text' };
    const text = h('p', { class: 'muted', id: 'ask-text' }, question);
    const dialog = h(
      'dialog',
      { class: 'dialog', 'data-testid': 'confirm-dialog', ...about },
      h('div', { class: 'dialog__head' }, h('h2', { id: 'ask-title' }, `${yes}?`)),
      h('div', { class: 'dialog__body' }, text, h('div', { class: 'dialog__foot' }, no, go)),
    );
    this.listen(no, 'click', () => dialog.close());
    this.listen(go, 'click', () => dialog.close('yes'));
    this.listen(dialog, 'close', () => {
      this.stop();
      dialog.remove();
      answered(dialog.returnValue === 'yes');
    });
    document.body.append(dialog);
    dialog.showModal();
    no.focus();
  }
}

/** A section that is kept up to date and begins what its buttons ask for. */
export class JobSection extends Section {
  #address;
  /** @type {import('../lib/part.js').Timer | undefined} */
  #timer;

  /** @param {string} name @param {string} address what is shown */
  constructor(name, address) {
    super(name);
    this.#address = address;
    const attribute = `data-${name}-begin`;
    const buttons = document.querySelectorAll(`[${attribute}]`);
    for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (buttons)) {
      this.listen(button, 'click', async () => {
        const { ask, yes } = button.dataset;
        const wish = button.getAttribute(attribute) ?? '';
        if (!ask || (await new Promise((answered) => new Question(ask, yes ?? 'Go on', answered)))) {
          await this.#begin(button, wish);
        }
      });
    }
    if (this.root) void this.#look();
  }

  /**
   * Shows an answer and says whether a job runs.
   * @param {any} _answer
   * @returns {boolean}
   */
  draw(_answer) {
    return false;
  }

  /**
   * Asks for what a button is about.
   * @param {string} wish
   */
  begin(wish) {
    return fetch(`${this.#address}/${wish}`, { method: 'POST' });
  }

  async #look() {
    this.cancel(this.#timer);
    let running = false;
    try {
      const answer = await fetch(this.#address, { headers: { accept: 'application/json' } });
      if (answer.ok) running = this.draw(await answer.json());
      else this.say(`The ${this.name} cannot be shown now. Reload the page.`);
    } catch {
      this.say('The server does not answer. It is asked again.');
    }
    this.#timer = this.after(running ? BUSY_MS : IDLE_MS, () => void this.#look());
  }

  /** @param {HTMLButtonElement} button @param {string} wish */
  async #begin(button, wish) {
    button.disabled = true;
    try {
      const answer = await this.begin(wish);
      if (answer.ok) {
        await this.#look();
        return;
      }
      this.say((await answer.json()).detail);
    } catch {
      this.say('The server does not answer. Nothing was begun.');
    }
    button.disabled = false;
  }
}
