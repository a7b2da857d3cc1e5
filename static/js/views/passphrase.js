/** Choosing a passphrase: six random words first, one's own with its strength second. */
import { actions, clone, h, input, slot } from '../lib/dom.js';
import { copy } from '../lib/say.js';
import { showButtons } from '../lib/form.js';
import { Subscriptions } from '../lib/state.js';

/** @type {[number, number][]} least bits and the level of the meter */
const LEVELS = [[90, 4], [70, 3], [45, 2], [1, 1]];

/**
 * @param {import('../types.js').Context} context
 * @param {string} legend
 */
export function passphrasePicker(context, legend) {
  const node = clone('view-passphrase');
  const own = input(node, '#own-passphrase');
  const kept = /** @type {HTMLInputElement} */ (slot(node, 'kept'));
  const subscriptions = new Subscriptions();
  let offered = '';
  let wanted = false;
  let mine = false;
  slot(node, 'legend').textContent = legend;
  showButtons(node);

  const offer = () => {
    wanted = true;
    kept.checked = false;
    context.send({ c: 'offer_passphrase' });
  };
  actions(node, { again: offer, copy: () => { void copy(offered, 'Passphrase'); } });
  node.addEventListener('change', (event) => {
    const target = /** @type {HTMLInputElement} */ (event.target);
    if (target.name !== 'how') return;
    mine = target.value === 'own';
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (node.querySelectorAll('[data-part]'))) part.hidden = (part.dataset.part === 'own') !== mine;
    // What was wrong with the way that was not taken is right now.
    (mine ? kept : own).dispatchEvent(new Event('input', { bubbles: true }));
    if (!mine) return;
    own.focus();
    // Has the estimator fetched while the first word is typed.
    context.send({ c: 'measure_passphrase', passphrase: own.value });
  });
  own.addEventListener('input', () => {
    if (own.value === '') {
      slot(node, 'meter').dataset.level = '0';
      slot(node, 'strength').textContent = 'Long beats clever: several unrelated words are best.';
    } else {
      context.send({ c: 'measure_passphrase', passphrase: own.value });
    }
  });
  subscriptions.add(
    context.state.on('passphrase_offered', (event) => {
      if (!wanted) return;
      wanted = false;
      offered = event.passphrase;
      slot(node, 'words').replaceChildren(...offered.split('-').flatMap((word, index) => (index === 0 ? [word] : ['-', h('wbr'), word])));
      slot(node, 'offered-bits').textContent = 'Drawn at random. Case and hyphens do not matter.';
    }),
    context.state.on('passphrase_measured', (event) => {
      if (!mine || own.value === '') return;
      slot(node, 'meter').dataset.level = String((LEVELS.find(([least]) => event.bits >= least) ?? [0, 0])[1]);
      const text = event.weak
        ? `Weak, about ${event.bits} bits. Whoever gets hold of the server’s data could guess it. ${event.advice}`
        : `Strong, about ${event.bits} bits. ${event.advice}`;
      const strength = slot(node, 'strength');
      strength.textContent = text.trim();
      strength.dataset.weak = String(event.weak);
    }),
    context.state.on('failed', (failed) => {
      if (!mine || failed.during !== 'measure_passphrase') return false;
      slot(node, 'meter').dataset.level = '0';
      const strength = slot(node, 'strength');
      strength.textContent = failed.text;
      delete strength.dataset.weak;
      return true;
    }),
  );
  offer();

  return {
    node,
    stop: () => subscriptions.stop(),
    value: () => (mine ? own.value : offered),
    /** What is missing, and where; null when all is well. */
    problem() {
      if (mine) return own.value === '' ? { field: own, text: 'Type a passphrase, or take the six random words.' } : null;
      if (offered === '') return { field: kept, text: 'The words are still being drawn. Try again in a second.' };
      return kept.checked ? null : { field: kept, text: 'Write the passphrase down or save it, then tick the box.' };
    },
  };
}
