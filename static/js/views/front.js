/** Signing in, recovering and unlocking. */
import { actions, clone, cloneAll, h, icon, input, slot } from '../lib/dom.js';
import { complain, showButtons, submit } from '../lib/form.js';
import { clockTime } from '../lib/format.js';
import { copy } from '../lib/say.js';
import { Subscriptions } from '../lib/state.js';
import { passphrasePicker } from './passphrase.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../types.js').View} View
 */

/**
 * The two halves that all these pages share, with a panel to fill.
 * @param {string} template
 */
export function frontPage(template) {
  const node = clone('view-front');
  const panel = slot(node, 'panel');
  panel.append(cloneAll(template));
  showButtons(panel);
  return { node, panel };
}

/** @type {Record<string, string>} */
const WHY_SIGNED_OUT = {
  expired: 'Your session is over: nothing was done for 30 minutes, 12 hours have passed, or it was ended from another browser. What waits for you still waits; what had been read is gone. Sign in again to go on.',
  idle: 'You were signed out because nothing was done here for a while. What waits for you still waits. Sign in again to go on.',
  user: 'You are signed out. Keys and messages are gone from this browser’s memory.',
  deleted: 'Your account is deleted. Nobody can sign in to it any more, and nothing of it is left in this browser.',
};

/** @param {Context} context @returns {View} */
export function signInView(context) {
  const { node, panel } = frontPage('view-sign-in');
  const subscriptions = new Subscriptions();
  const form = /** @type {HTMLElement} */ (panel.querySelector('form'));
  const notice = slot(panel, 'notice');
  const why = WHY_SIGNED_OUT[context.state.state.reason];
  if (why) {
    notice.append(icon('info'), h('span', {}, why));
    notice.hidden = false;
    notice.dataset.reason = context.state.state.reason;
    if (['user', 'deleted'].includes(context.state.state.reason)) notice.className = 'notice';
  }
  const server = () => {
    const closed = context.state.server?.registration === 'closed' || context.state.server?.registration === 'invite';
    const line = slot(panel, 'register');
    if (closed && context.state.server) {
      line.textContent = context.state.server.setup_done
        ? context.state.server.registration === 'closed' ? 'This server takes no new accounts.' : 'New here? Ask somebody for an invite link.'
        : 'This server is not set up. Open the set-up link from its log.';
    }
  };
  server();
  subscriptions.add(context.state.on('server', server));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const handle = input(form, '[name="handle"]');
    const passphrase = input(form, '[name="passphrase"]');
    if (handle.value.trim() === '') complain(form, handle, 'Type your handle.');
    else if (passphrase.value === '') complain(form, passphrase, 'Type your passphrase.');
    else submit(context, form, { c: 'sign_in', handle: handle.value.trim(), passphrase: passphrase.value });
  });
  const known = context.state.state.handle ?? '';
  input(form, '[name="handle"]').value = known;
  const first = known === '' ? '[name="handle"]' : '[name="passphrase"]';
  return { node, focus: () => input(form, first).focus({ preventScroll: true }), stop: () => subscriptions.stop() };
}

/** @param {Context} context @returns {View} */
export function recoverView(context) {
  const { node, panel } = frontPage('view-recover');
  const form = /** @type {HTMLElement} */ (panel.querySelector('form'));
  const picker = passphrasePicker(context, 'Your new passphrase');
  slot(panel, 'passphrase').append(picker.node);
  const subscriptions = new Subscriptions();
  subscriptions.add(context.state.on('recovery_key', (event) => {
    if (event.during === 'recover') confirmRecoveryKey(context, panel, event, subscriptions, () => context.go('/', true));
  }));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const handle = input(form, '[name="handle"]');
    const key = input(form, '[name="recovery_key"]');
    const problem = picker.problem();
    if (handle.value.trim() === '') complain(form, handle, 'Type your handle.');
    else if (key.value.trim() === '') complain(form, key, 'Type your recovery key.');
    else if (problem) complain(form, problem.field, problem.text);
    else submit(context, form, { c: 'recover', handle: handle.value.trim(), recovery_key: key.value, passphrase: picker.value() }, 'recovery_key');
  });
  return { node, focus: () => input(form, '[name="handle"]').focus({ preventScroll: true }), stop: () => { picker.stop(); subscriptions.stop(); } };
}

/**
 * Shows a recovery key once and asks for it back.
 * @param {Context} context
 * @param {HTMLElement} panel
 * @param {{recovery_key: string, expires_ms: number}} event
 * @param {Subscriptions} subscriptions
 * @param {() => void} restart
 */
export function confirmRecoveryKey(context, panel, event, subscriptions, restart) {
  panel.replaceChildren(cloneAll('view-recovery-key'));
  slot(panel, 'key').append(...event.recovery_key.split('-').map((group) => h('li', {}, group)));
  slot(panel, 'deadline').textContent = `Finish before ${clockTime(event.expires_ms)}.`;
  const form = /** @type {HTMLElement} */ (panel.querySelector('form'));
  const typed = input(form, '#confirm-key');
  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    if (typed.value.trim() === '') complain(form, typed, 'Type the recovery key as it is shown above.');
    else submit(context, form, { c: 'confirm_recovery_key', typed: typed.value });
  });
  const started = (/** @type {HTMLElement} */ _target) => {
    context.send({ c: 'cancel' });
    restart();
  };
  const listener = (/** @type {Event} */ clicked) => {
    const action = /** @type {HTMLElement | null} */ (/** @type {Element} */ (clicked.target).closest('[data-action]'))?.dataset.action;
    if (action === 'copy-key') void copy(event.recovery_key, 'Recovery key');
    else if (action === 'print-key') print();
    else if (action === 'cancel') started(panel);
  };
  panel.addEventListener('click', listener);
  subscriptions.add(() => panel.removeEventListener('click', listener));
  const heading = /** @type {HTMLElement} */ (panel.querySelector('h1'));
  heading.tabIndex = -1;
  heading.focus();
}

/** @type {Record<string, string>} */
const WHY_LOCKED = {
  user: 'Keys and messages are gone from this browser’s memory. What is unread still waits.',
  expired: 'Your session is over, so keys and messages were wiped from memory. What is unread still waits.',
  idle: 'Nothing was done here for a while, so keys and messages were wiped from memory. What is unread still waits.',
};

/** @param {Context} context @returns {View} */
export function lockView(context) {
  const node = clone('view-lock');
  const form = /** @type {HTMLElement} */ (node.querySelector('form'));
  const me = context.state.state.me;
  slot(node, 'why').textContent = `${me ? `Signed in as ${me.alias || me.handle}. ` : ''}${WHY_LOCKED[context.state.state.reason] ?? 'Your passphrase opens it.'}`;
  /** @type {HTMLInputElement} */ (slot(node, 'username')).value = me?.handle ?? '';
  showButtons(node);
  actions(node, { 'sign-out': () => context.send({ c: 'sign_out' }) });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const field = input(form, '#unlock-passphrase');
    if (field.value === '') {
      complain(form, field, 'Type your passphrase.');
      return;
    }
    submit(context, form, { c: 'unlock', passphrase: field.value });
    field.value = '';
  });
  return { node, focus: () => input(form, '#unlock-passphrase').focus(), stop: () => {} };
}
