/** What a session alone must not be able to do asks for the passphrase; and the offer of a new identity. */
import { input, slot } from '../lib/dom.js';
import { Dialog, confirmDialog } from '../lib/dialog.js';
import { complain, showButtons, submit } from '../lib/form.js';
import { page } from '../lib/part.js';
import { toast } from '../lib/say.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../types.js').StateEvent} StateEvent
 */

/**
 * Asks for the passphrase before something that a session alone must not be able to do; without `done`
 * the view itself goes away.
 * @param {Context} context
 * @param {{name: string, title: string, text: string, yes: string, command: string, done?: string, said?: string, then?: () => void}} words
 */
export function proveDialog(context, words) {
  const dialog = new Dialog('view-prove');
  const { node } = dialog;
  const form = /** @type {HTMLFormElement} */ (node.querySelector('[data-form="prove"]'));
  const field = input(form, '#prove-passphrase');
  const yes = slot(form, 'yes');
  slot(node, 'title').textContent = words.title;
  slot(node, 'text').textContent = words.text;
  yes.textContent = words.yes;
  yes.dataset.testid = `${words.name}-confirm`;
  field.dataset.testid = `${words.name}-passphrase`;
  /** @type {HTMLInputElement} */ (slot(form, 'username')).value = context.state.state.me?.handle ?? '';
  showButtons(dialog, node);
  const done = () => {
    field.value = '';
    dialog.close();
    if (words.said) toast(words.said);
    words.then?.();
  };
  dialog.listen(form, 'submit', (event) => {
    event.preventDefault();
    const command = { c: words.command, passphrase: field.value };
    // What comes of it is told although the dialog may be closed by then.
    if (field.value !== '') submit(page, context, form, command, words.done, done);
    else complain(dialog, form, field, 'Type your passphrase.');
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

/** The question after a recovery is asked on every page of this browser until it was answered, and not again. */
const ASKED = 'recovered';
/** The same, where the browser keeps nothing. */
let asked = false;

function isOpen() {
  try {
    return localStorage.getItem(ASKED) !== null;
  } catch {
    return asked;
  }
}

/** @param {boolean} asks */
function note(asks) {
  asked = asks;
  try {
    if (asks) localStorage.setItem(ASKED, '1');
    else localStorage.removeItem(ASKED);
  } catch {
    // Then this page alone knows it.
  }
}

/**
 * Whether the question is to be asked now. The core calls an account recovered for as long as it is open: only the
 * page that was there before knows that it was opened just now.
 * @param {StateEvent} before
 * @param {StateEvent} now
 */
export function asksAfterRecovery(before, now) {
  if (now.state === 'signed_out') note(false);
  if (now.state !== 'unlocked' || before.state === 'unlocked') return false;
  if (now.reason === 'recovered' && before.state === 'signed_out') note(true);
  return isOpen();
}

/** @param {Context} context */
export function askAfterRecovery(context) {
  const done =
    'You are in again, and every other session is over. Your old recovery key and passphrase open your account no more.';
  offerIdentity(context, done, () => note(false));
}
