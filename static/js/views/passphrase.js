/** Choosing a passphrase: six random words first, one's own with its strength second. */
import { actions, clone, h, input, say, slot } from '../lib/dom.js';
import { copy } from '../lib/say.js';
import { right, showButtons } from '../lib/form.js';
import { Subscriptions } from '../lib/state.js';

/** @type {[number, number][]} least bits and the level of the meter */
const LEVELS = [
  [90, 4],
  [70, 3],
  [45, 2],
  [1, 1],
];

/**
 * @param {import('../types.js').Context} context
 * @param {string} legend
 */
export function passphrasePicker(context, legend) {
  const node = clone('view-passphrase');
  const own = input(node, '#own-passphrase');
  const again = input(node, '#again-passphrase');
  const anyway = slot(node, 'anyway');
  const kept = /** @type {HTMLInputElement} */ (slot(node, 'kept'));
  const subscriptions = new Subscriptions();
  let offered = '';
  let wanted = false;
  let mine = false;
  /** What is known of the strength of what stands there. @type {'' | 'weak' | 'strong' | 'unknown'} */
  let known = '';
  let accepted = false;
  slot(node, 'legend').textContent = legend;
  showButtons(node);
  // Whoever does not see what they type may mistype it: then it is typed twice.
  const hidden = () => own.type === 'password';
  node.addEventListener('click', () => {
    slot(node, 'again').hidden = !hidden();
  });

  /** What was asked to wait for is there: nobody is asked to wait for it any longer. @type {HTMLInputElement | null} */
  let waited = null;
  const arrived = (/** @type {HTMLInputElement} */ field) => {
    const form = /** @type {HTMLElement | null} */ (node.closest('form'));
    if (waited !== field || !form) return;
    waited = null;
    say(slot(form, 'error'), '');
    right(field);
  };

  const offer = () => {
    wanted = true;
    kept.checked = false;
    context.send({ c: 'offer_passphrase' });
  };
  actions(node, {
    again: offer,
    copy: () => {
      void copy(offered, 'Passphrase');
    },
    anyway: () => {
      accepted = true;
      node.closest('form')?.requestSubmit();
    },
  });
  node.addEventListener('change', (event) => {
    const target = /** @type {HTMLInputElement} */ (event.target);
    if (target.name !== 'how') return;
    mine = target.value === 'own';
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (node.querySelectorAll('[data-part]')))
      part.hidden = (part.dataset.part === 'own') !== mine;
    // What was wrong with the way that was not taken is right now.
    (mine ? kept : own).dispatchEvent(new Event('input', { bubbles: true }));
    if (!mine) return;
    own.focus();
    // Has the estimator fetched while the first word is typed.
    context.send({ c: 'measure_passphrase', passphrase: own.value });
  });
  own.addEventListener('input', () => {
    // An estimator that did not start will not start for the next letter either: nobody waits for it.
    if (known !== 'unknown') known = '';
    accepted = false;
    anyway.hidden = true;
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
      arrived(kept);
      slot(node, 'words').replaceChildren(
        ...offered.split('-').flatMap((word, index) => (index === 0 ? [word] : ['-', h('wbr'), word])),
      );
      slot(node, 'offered-bits').textContent = 'Drawn at random. Case and hyphens do not matter.';
    }),
    context.state.on('passphrase_measured', (event) => {
      if (!mine || own.value === '') return;
      slot(node, 'meter').dataset.level = String((LEVELS.find(([least]) => event.bits >= least) ?? [0, 0])[1]);
      known = event.weak ? 'weak' : 'strong';
      arrived(own);
      const bits = `about ${event.bits} ${event.bits === 1 ? 'bit' : 'bits'}`;
      const text = event.weak
        ? `Weak, ${bits}. Whoever gets hold of the server’s data could guess it. ${event.advice}`
        : `Strong, ${bits}. ${event.advice}`;
      const strength = slot(node, 'strength');
      strength.textContent = text.trim();
      strength.dataset.weak = String(event.weak);
    }),
    context.state.on('failed', (failed) => {
      if (!mine || failed.during !== 'measure_passphrase') return false;
      known = 'unknown';
      arrived(own);
      slot(node, 'meter').dataset.level = '0';
      const strength = slot(node, 'strength');
      strength.textContent = failed.text;
      delete strength.dataset.weak;
      return true;
    }),
  );
  offer();

  function ownProblem() {
    if (own.value === '') return { field: own, text: 'Type a passphrase, or take the six random words.' };
    if (hidden() && again.value === '')
      return { field: again, text: 'Type the passphrase once more, or show it with the eye.' };
    if (hidden() && again.value !== own.value)
      return { field: again, text: 'The two are not the same. Type both again, or show the passphrase with the eye.' };
    waited = known === '' ? own : null;
    if (known === '') return { field: own, text: 'The strength is still being estimated. Try again in a second.' };
    if (known !== 'weak' || accepted) return null;
    anyway.hidden = false;
    return { field: own, text: 'This passphrase can be guessed. Choose another one, or use it anyway.' };
  }

  return {
    node,
    stop: () => subscriptions.stop(),
    value: () => (mine ? own.value : offered),
    /** What is missing, and where; null when all is well. */
    problem() {
      waited = null;
      if (mine) return ownProblem();
      waited = offered === '' ? kept : null;
      if (offered === '') return { field: kept, text: 'The words are still being drawn. Try again in a second.' };
      return kept.checked ? null : { field: kept, text: 'Write the passphrase down or save it, then tick the box.' };
    },
  };
}
