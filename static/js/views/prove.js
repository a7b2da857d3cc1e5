/** What a session alone must not be able to do asks for the passphrase; and the offer of a new identity. */
import { input, slot } from '../lib/dom.js';
import { complain, showButtons, submit } from '../lib/form.js';
import { toast } from '../lib/say.js';
import { confirmDialog, openDialog } from '../chat/people.js';

/** @typedef {import('../types.js').Context} Context */

/**
 * Asks for the passphrase before something that a session alone must not be able to do; without `done`
 * the view itself goes away.
 * @param {Context} context
 * @param {{name: string, title: string, text: string, yes: string, command: string, done?: string, said?: string, then?: () => void}} words
 */
export function proveDialog(context, words) {
  const dialog = openDialog('view-prove');
  const form = /** @type {HTMLFormElement} */ (dialog.querySelector('[data-form="prove"]'));
  const field = input(form, '#prove-passphrase');
  const yes = slot(form, 'yes');
  slot(dialog, 'title').textContent = words.title;
  slot(dialog, 'text').textContent = words.text;
  yes.textContent = words.yes;
  yes.dataset.testid = `${words.name}-confirm`;
  field.dataset.testid = `${words.name}-passphrase`;
  /** @type {HTMLInputElement} */ (slot(form, 'username')).value = context.state.state.me?.handle ?? '';
  showButtons(dialog);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (field.value === '') complain(form, field, 'Type your passphrase.');
    else {
      submit(context, form, { c: words.command, passphrase: field.value }, words.done, () => {
        field.value = '';
        dialog.close();
        if (words.said) toast(words.said);
        words.then?.();
      });
    }
  });
  field.focus();
}

/**
 * @param {Context} context
 * @param {() => void} [then] when there is a new one
 */
export function identityDialog(context, then) {
  proveDialog(context, {
    name: 'new-identity',
    title: 'Make a new identity?',
    text: 'This cannot be undone. Everybody you know is asked before they write to you again. What was sent to you and is still unread can never be opened. Your open invite links stop working. Contacts, settings, passphrase and recovery key stay.',
    yes: 'Replace my keys',
    command: 'new_identity',
    done: 'identity_replaced',
    said: 'You have a new identity. Compare safety numbers with the people you know.',
    then,
  });
}

/**
 * After what locks others out: whoever had the keys still has them.
 * @param {Context} context
 * @param {string} done what was done
 * @param {() => void} [answered] the keys are kept, or there are new ones
 */
export function offerIdentity(context, done, answered) {
  confirmDialog(
    {
      title: 'Could somebody have had your keys?',
      text: `${done} Your keys are the same as before. Whoever once had them, by a stolen browser or with your old passphrase or recovery key, can still write in your name and read what is sent to you while you are away. Only a new identity ends that.`,
      yes: 'Make a new identity',
      no: 'No, keep my keys',
    },
    () => identityDialog(context, answered),
    answered,
  );
}
