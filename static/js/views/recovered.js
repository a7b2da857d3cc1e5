/** The question after a recovery: asked on every page of this browser until it was answered, and not again. */
import { offerIdentity } from './prove.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../types.js').StateEvent} StateEvent
 */

const ASKED = 'recovered';
/** The same, where the browser keeps nothing. */
let open = false;

function isOpen() {
  try {
    return localStorage.getItem(ASKED) !== null;
  } catch {
    return open;
  }
}

/** @param {boolean} asks */
function note(asks) {
  open = asks;
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
  offerIdentity(
    context,
    'You are in again, and every other session is over. Your old recovery key and passphrase open your account no more.',
    () => note(false),
  );
}
