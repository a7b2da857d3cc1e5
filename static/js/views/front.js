/** Signing in, recovering and unlocking. */
import { actions, clone, cloneAll, h, icon, input, slot } from '../lib/dom.js';
import { complain, showButtons, submit } from '../lib/form.js';
import { clockTime } from '../lib/format.js';
import { layer } from '../lib/layers.js';
import { go, lostLink } from '../lib/router.js';
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

/** What somebody did in another browser, or at the server. @type {Record<string, string>} */
const WHY_ELSEWHERE = {
  ended_elsewhere:
    'You were signed out from another browser of this account. What is unread still waits. If that was not you, sign in and change your passphrase.',
  passphrase_elsewhere:
    'The passphrase of this account was changed, or everybody else was signed out, in another browser. Sign in with the passphrase of now. If that was not you, recover the account with your recovery key.',
  recovered_elsewhere:
    'This account was recovered with its recovery key, in another browser. It has a new passphrase and a new recovery key, and those of before open nothing. If that was not you, the account is no longer yours alone: tell your contacts another way.',
  account_closed: 'This account was deleted, or whoever runs this server disabled it. Ask them if you do not know why.',
};

/** @type {Record<string, string>} */
const WHY_SIGNED_OUT = {
  expired:
    'Your session is over. A session ends after 30 minutes without use, after 12 hours, or when it is ended in another browser. Unread messages still wait for you. What you had read is gone. Sign in to go on.',
  ...WHY_ELSEWHERE,
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
  const tell = () => {
    const { reason } = context.state.state;
    const why =
      WHY_SIGNED_OUT[reason] ??
      (lostLink()
        ? 'If you came by an invite link, sign in first. Then open the link again: it still works.'
        : undefined);
    notice.hidden = !why;
    if (!why) return;
    notice.replaceChildren(icon('info'), h('span', {}, why));
    notice.dataset.reason = reason;
    notice.classList.toggle('notice--warn', ['expired', 'idle'].includes(reason) || reason in WHY_ELSEWHERE);
  };
  tell();
  const server = () => {
    const closed = context.state.server?.registration === 'closed' || context.state.server?.registration === 'invite';
    const line = slot(panel, 'register');
    if (closed && context.state.server) {
      line.textContent = context.state.server.setup_done
        ? context.state.server.registration === 'closed'
          ? 'This server takes no new accounts.'
          : 'New here? Ask somebody for an invite link.'
        : 'This server is not set up. Open the set-up link that it printed when it started.';
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
    else if (context.state.state.state === 'starting') wait();
    else go();
  });
  const go = () =>
    submit(context, form, {
      c: 'sign_in',
      handle: input(form, '[name="handle"]').value.trim(),
      passphrase: input(form, '[name="passphrase"]').value,
    });
  // The core is not there yet: what was typed is sent as soon as it is.
  let waiting = false;
  const button = /** @type {HTMLElement} */ (form.querySelector('[data-testid="sign-in-submit"]'));
  const wait = () => {
    waiting = true;
    button.setAttribute('aria-busy', 'true');
  };
  subscriptions.add(
    context.state.on('state', (event) => {
      tell();
      if (!waiting || event.state === 'starting') return;
      waiting = false;
      button.removeAttribute('aria-busy');
      if (event.state === 'signed_out') go();
    }),
  );
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
  subscriptions.add(
    context.state.on('recovery_key', (event) => {
      if (event.during !== 'recover') return;
      const cancel = confirmRecoveryKey(
        context,
        panel,
        event,
        input(form, '[name="handle"]').value.trim(),
        subscriptions,
        () => {
          cancel();
          over();
        },
      );
      const over = layer(cancel);
      subscriptions.add(over);
    }),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const handle = input(form, '[name="handle"]');
    const key = input(form, '[name="recovery_key"]');
    const problem = picker.problem();
    if (handle.value.trim() === '') complain(form, handle, 'Type your handle.');
    else if (key.value.trim() === '') complain(form, key, 'Type your recovery key.');
    else if (problem) complain(form, problem.field, problem.text);
    else
      submit(
        context,
        form,
        { c: 'recover', handle: handle.value.trim(), recovery_key: key.value, passphrase: picker.value() },
        'recovery_key',
      );
  });
  return {
    node,
    focus: () => input(form, '[name="handle"]').focus({ preventScroll: true }),
    stop: () => {
      picker.stop();
      subscriptions.stop();
    },
  };
}

/** @param {string} handle as somebody typed it @returns {string} as the server writes it */
function written(handle) {
  return handle.replace(/^@/, '').normalize('NFKC').toLowerCase();
}

/**
 * Shows a recovery key once and asks for it back.
 * @param {Context} context
 * @param {HTMLElement} panel
 * @param {{recovery_key: string, during: string, expires_ms: number}} event
 * @param {string} handle
 * @param {Subscriptions} subscriptions
 * @param {() => void} restart what "Start over" does; it gives the key up
 * @returns {() => void} gives the key up, as going back does
 */
export function confirmRecoveryKey(context, panel, event, handle, subscriptions, restart) {
  const before = [...panel.childNodes];
  const page = cloneAll('view-recovery-key');
  slot(page, 'key').append(...event.recovery_key.split('-').map((group) => h('li', {}, group)));
  slot(page, 'whose').textContent = `Of @${written(handle)} at ${location.host}`;
  slot(page, 'deadline').textContent =
    `Finish before ${clockTime(event.expires_ms)}. Until then this key opens nothing, and a page that is loaded again shows another.`;
  const form = /** @type {HTMLElement} */ (page.querySelector('form'));
  const typed = input(form, '#confirm-key');
  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault();
    if (typed.value.trim() === '') complain(form, typed, 'Type the recovery key as it is shown above.');
    else
      submit(context, form, { c: 'confirm_recovery_key', typed: typed.value }, undefined, undefined, [
        'confirm_recovery_key',
        event.during,
      ]);
  });
  const heading = /** @type {HTMLElement} */ (page.querySelector('h1'));
  heading.tabIndex = -1;
  panel.replaceChildren(page);
  const listener = (/** @type {Event} */ clicked) => {
    const action = /** @type {HTMLElement | null} */ (/** @type {Element} */ (clicked.target).closest('[data-action]'))
      ?.dataset.action;
    if (action === 'copy-key') void copy(event.recovery_key, 'Recovery key');
    else if (action === 'print-key') print();
    else if (action === 'cancel') {
      restart();
      /** @type {HTMLElement | null} */ (panel.querySelector('input:not([readonly])'))?.focus();
    }
  };
  const cancel = () => {
    context.send({ c: 'cancel' });
    panel.removeEventListener('click', listener);
    panel.replaceChildren(...before);
  };
  panel.addEventListener('click', listener);
  subscriptions.add(() => panel.removeEventListener('click', listener));
  heading.focus();
  return cancel;
}

/** @type {Record<string, string>} */
const WHY_LOCKED = {
  user: 'Keys and messages are gone from this browser’s memory. What is unread still waits.',
  expired: 'Your session is over, so keys and messages were wiped from memory. What is unread still waits.',
  ...WHY_ELSEWHERE,
  idle: 'Nothing was done here for a while, so keys and messages were wiped from memory. What is unread still waits.',
};

/** @param {Context} context @returns {View} */
export function lockView(context) {
  const node = clone('view-lock');
  const form = /** @type {HTMLElement} */ (node.querySelector('form'));
  const me = context.state.state.me;
  slot(node, 'why').textContent =
    `${me ? `Signed in as ${me.alias ? `${me.alias}, ` : ''}@${me.handle}. ` : ''}${WHY_LOCKED[context.state.state.reason] ?? 'Your passphrase opens it.'}`;
  /** @type {HTMLInputElement} */ (slot(node, 'username')).value = me?.handle ?? '';
  showButtons(node);
  const signOut = () => context.send({ c: 'sign_out' });
  // What is locked here is gone from memory: whoever recovers the account begins as one who is signed out.
  actions(node, {
    'sign-out': signOut,
    recover: () => {
      go('/recover');
      signOut();
    },
  });
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
