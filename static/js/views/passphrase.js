/** Choosing a passphrase: six random words first, one's own with its strength second. */
import { clone, h, input, say, slot } from '../lib/dom.js';
import { right, showButtons } from '../lib/form.js';
import { View } from '../lib/part.js';
import { copy } from '../lib/say.js';

/** @type {[number, number][]} least bits and the level of the meter */
const LEVELS = [
  [90, 4],
  [70, 3],
  [45, 2],
  [1, 1],
];

export class PassphrasePicker extends View {
  #own = input(this.node, '#own-passphrase');
  #again = input(this.node, '#again-passphrase');
  #anyway = slot(this.node, 'anyway');
  #kept = /** @type {HTMLInputElement} */ (slot(this.node, 'kept'));
  #offered = '';
  #wanted = false;
  #mine = false;
  /** What is known of the strength of what stands there. @type {'' | 'weak' | 'strong' | 'unknown'} */
  #known = '';
  #accepted = false;
  /** What was asked to wait for something that is not there yet. @type {HTMLInputElement | null} */
  #waited = null;

  /**
   * @param {import('../types.js').Context} context
   * @param {string} legend
   * @param {import('../lib/part.js').Part} owner
   */
  constructor(context, legend, owner) {
    super(context, clone('view-passphrase'), owner);
    const { node } = this;
    slot(node, 'legend').textContent = legend;
    showButtons(this, node);
    // Whoever does not see what they type may mistype it: then it is typed twice.
    this.listen(node, 'click', () => {
      slot(node, 'again').hidden = !this.#hidden;
    });
    this.actions(node, {
      again: () => this.#offer(),
      copy: () => void copy(this.#offered, 'Passphrase'),
      anyway: () => {
        this.#accepted = true;
        node.closest('form')?.requestSubmit();
      },
    });
    this.listen(node, 'change', (event) => {
      const { name, value } = /** @type {HTMLInputElement} */ (event.target);
      if (name === 'how') this.#choose(value === 'own');
    });
    this.listen(this.#own, 'input', () => this.#typed());
    this.on('passphrase_offered', (event) => this.#drawn(event.passphrase));
    this.on('passphrase_measured', (event) => this.#measured(event));
    this.on('failed', (failed) => {
      if (!this.#mine || failed.during !== 'measure_passphrase') return false;
      this.#known = 'unknown';
      this.#arrived(this.#own);
      this.#show(0, failed.text);
      delete slot(node, 'strength').dataset.weak;
      return true;
    });
    this.#offer();
  }

  get value() {
    return this.#mine ? this.#own.value : this.#offered;
  }

  /** What is missing, and where; null when all is well. */
  problem() {
    this.#waited = null;
    if (this.#mine) return this.#ownProblem();
    this.#waited = this.#offered === '' ? this.#kept : null;
    if (this.#offered === '')
      return { field: this.#kept, text: 'The words are still being drawn. Try again in a second.' };
    if (this.#kept.checked) return null;
    return { field: this.#kept, text: 'Write the passphrase down or save it, then tick the box.' };
  }

  get #hidden() {
    return this.#own.type === 'password';
  }

  /** What was asked to wait for is there: nobody is asked to wait for it any longer. @param {HTMLInputElement} field */
  #arrived(field) {
    const form = /** @type {HTMLElement | null} */ (this.node.closest('form'));
    if (this.#waited !== field || !form) return;
    this.#waited = null;
    say(slot(form, 'error'), '');
    right(field);
  }

  #offer() {
    this.#wanted = true;
    this.#kept.checked = false;
    this.send({ c: 'offer_passphrase' });
  }

  /** @param {string} passphrase */
  #drawn(passphrase) {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#offered = passphrase;
    this.#arrived(this.#kept);
    const words = passphrase.split('-').flatMap((word, index) => (index === 0 ? [word] : ['-', h('wbr'), word]));
    slot(this.node, 'words').replaceChildren(...words);
    slot(this.node, 'offered-bits').textContent = 'Drawn at random. Case and hyphens do not matter.';
  }

  /** @param {boolean} own */
  #choose(own) {
    this.#mine = own;
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (this.node.querySelectorAll('[data-part]')))
      part.hidden = (part.dataset.part === 'own') !== own;
    // What was wrong with the way that was not taken is right now.
    (own ? this.#kept : this.#own).dispatchEvent(new Event('input', { bubbles: true }));
    if (!own) return;
    this.#own.focus();
    // Has the estimator fetched while the first word is typed.
    this.send({ c: 'measure_passphrase', passphrase: this.#own.value });
  }

  #typed() {
    // An estimator that did not start will not start for the next letter either: nobody waits for it.
    if (this.#known !== 'unknown') this.#known = '';
    this.#accepted = false;
    this.#anyway.hidden = true;
    if (this.#own.value === '') this.#show(0, 'Long beats clever: several unrelated words are best.');
    else this.send({ c: 'measure_passphrase', passphrase: this.#own.value });
  }

  /** @param {{bits: number, weak: boolean, advice: string}} event */
  #measured({ bits, weak, advice }) {
    if (!this.#mine || this.#own.value === '') return;
    this.#known = weak ? 'weak' : 'strong';
    this.#arrived(this.#own);
    const about = `about ${bits} ${bits === 1 ? 'bit' : 'bits'}`;
    const text = weak
      ? `Weak, ${about}. Whoever gets hold of the server’s data could guess it. ${advice}`
      : `Strong, ${about}. ${advice}`;
    this.#show((LEVELS.find(([least]) => bits >= least) ?? [0, 0])[1], text.trim());
    slot(this.node, 'strength').dataset.weak = String(weak);
  }

  /** @param {number} level @param {string} text */
  #show(level, text) {
    slot(this.node, 'meter').dataset.level = String(level);
    slot(this.node, 'strength').textContent = text;
  }

  #ownProblem() {
    const [own, again] = [this.#own, this.#again];
    if (own.value === '') return { field: own, text: 'Type a passphrase, or take the six random words.' };
    if (this.#hidden && again.value === '')
      return { field: again, text: 'Type the passphrase once more, or show it with the eye.' };
    if (this.#hidden && again.value !== own.value)
      return { field: again, text: 'The two are not the same. Type both again, or show the passphrase with the eye.' };
    this.#waited = this.#known === '' ? own : null;
    if (this.#known === '')
      return { field: own, text: 'The strength is still being estimated. Try again in a second.' };
    if (this.#known !== 'weak' || this.#accepted) return null;
    this.#anyway.hidden = false;
    return { field: own, text: 'This passphrase can be guessed. Choose another one, or use it anyway.' };
  }
}
