/** Creating an account: name, passphrase, recovery key; the set-up and invite links lead here too. */
import { h, icon, input, say, slot } from '../lib/dom.js';
import { complain, right, submit, wrong } from '../lib/form.js';
import { layer } from '../lib/layers.js';
import { lostLink } from '../lib/router.js';
import { Subscriptions } from '../lib/state.js';
import { confirmRecoveryKey, frontPage } from './front.js';
import { passphrasePicker } from './passphrase.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../types.js').View} View
 */

/** What to do where a page was loaded again: the secret of its link is kept nowhere. */
const LOADED_AGAIN =
  'This page was loaded again and no longer has what the link carried. Open the link again from where you got it.';
const OPEN_AGAIN = `${LOADED_AGAIN} It still works.`;

/** @param {Context} context @returns {View} */
export function registerView(context) {
  const { node, panel } = frontPage('view-register');
  const form = /** @type {HTMLElement} */ (panel.querySelector('form'));
  const setup = location.pathname === '/setup';
  const fragment = context.fragment();
  // A link from the server's terminal names the handle that it is for.
  const named = setup ? handleIn(fragment) : '';
  let invited = !setup && fragment.includes('.');
  const picker = passphrasePicker(context, 'Your passphrase');
  const subscriptions = new Subscriptions();
  let step = 1;
  /** Whether the server is being asked about the link alone. */
  let asking = false;
  slot(panel, 'passphrase').append(picker.node);
  const handle = input(form, '[name="handle"]');
  const alias = input(form, '[name="alias"]');
  const link = () => ({
    ...(setup ? { setup: fragment.split('.')[0] } : {}),
    ...(invited ? { invite: fragment } : {}),
  });
  const wish = () => ({ handle: handle.value.trim(), alias: alias.value.trim(), ...link() });

  if (setup) {
    slot(panel, 'title').textContent = named ? 'Become an administrator' : 'Set up this server';
    slot(panel, 'lead').textContent = named
      ? 'The account that you create administers this server. It sees security events, and no messages.'
      : 'The first account administers this server. It sees security events, and no messages.';
    slot(panel, 'has-account').hidden = true;
  }
  if (named) {
    handle.value = named;
    handle.readOnly = true;
  }
  const closed = () => {
    const server = context.state.server;
    if (!server) return '';
    if (setup) {
      if (lostLink()) return server.setup_done ? LOADED_AGAIN : OPEN_AGAIN;
      if (server.setup_done && !named) return 'This server is set up already.';
      return fragment === ''
        ? 'This link is not complete. Copy the whole set-up link that the server printed when it started.'
        : '';
    }
    if (!server.setup_done) return 'This server is not set up. Open the set-up link that it printed when it started.';
    if (server.registration === 'closed') return 'This server takes no new accounts at the moment. Ask its operator.';
    if (server.registration === 'invite' && lostLink()) return OPEN_AGAIN;
    if (server.registration === 'invite' && !invited)
      return 'You need an invite link for this server. Ask somebody who is here for one.';
    return '';
  };
  const notice = slot(panel, 'notice');
  const server = () => {
    const why = closed();
    const coming = invited
      ? 'You come by an invite link. Whoever sent it is asked to talk with you as soon as you are in.'
      : lostLink()
        ? `${OPEN_AGAIN} You can also go on without it.`
        : '';
    say(notice, why || coming);
    if (setup && why && context.state.server?.setup_done)
      notice.append(' ', h('a', { href: '/', 'data-link': true, 'data-testid': 'setup-sign-in' }, 'Sign in instead'));
    form.hidden = why !== '';
  };
  server();

  const marks = slot(panel, 'steps');
  /** What the browser's Back closes, above the first step. @type {(() => void)[]} */
  const above = [];
  /** Takes the recovery key away again, where it is shown. */
  let leave = () => {};
  const toFirst = () => {
    step = 1;
    leave();
    for (const close of above.splice(0).reverse()) close();
    show();
  };
  const back = () => {
    toFirst();
    handle.focus();
  };
  const show = () => {
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll('[data-step]')))
      part.hidden = Number(part.dataset.step) !== step;
    /** @type {HTMLElement} */ (form.querySelector('[data-action="back"]')).hidden = step === 1;
    steps(panel, step);
  };
  show();
  form.querySelector('[data-action="back"]')?.addEventListener('click', back);
  subscriptions.add(
    context.state.on('server', server),
    context.state.on('failed', (failed) => {
      if (failed.during !== 'register' && failed.during !== 'check_registration') return false;
      const aboutLink = asking;
      asking = false;
      // Of a handle that nobody chose nothing is said.
      if (aboutLink && !/unusable/.test(failed.code)) return true;
      // All but the passphrase is on the first step: what is wrong there is said there.
      const field = /handle/.test(failed.code) ? handle : /alias/.test(failed.code) ? alias : null;
      const dropped = failed.code === 'invite-unusable' && context.state.server?.registration === 'open';
      if (dropped) invited = false;
      const later = step > 1;
      if (field || dropped) {
        toFirst();
        server();
      }
      if (field) (later ? complain : wrong)(form, field, failed.text);
      else say(slot(form, 'error'), dropped ? `${failed.text} You can also go on without it.` : failed.text);
      return true;
    }),
    context.state.on('registration_checked', () => {
      asking = false;
      for (const field of [handle, alias]) right(field);
    }),
    context.state.on('recovery_key', (event) => {
      if (event.during !== 'register') return;
      const cancel = confirmRecoveryKey(context, panel, event, handle.value.trim(), subscriptions, toFirst);
      leave = () => {
        leave = () => {};
        cancel();
      };
      panel.prepend(marks.cloneNode(true));
      steps(panel, 3);
      above.push(
        layer(() => {
          above.pop();
          leave();
          /** @type {HTMLElement} */ (picker.node.querySelector('input')).focus();
        }),
      );
    }),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (step === 1) {
      if (handle.value.trim() === '') {
        complain(form, handle, 'Choose a handle: letters and digits, for example alice.');
        return;
      }
      submit(context, form, { c: 'check_registration', ...wish() }, 'registration_checked', () => {
        step = 2;
        above.push(layer(back));
        show();
        /** @type {HTMLElement} */ (picker.node.querySelector('input')).focus();
      });
      return;
    }
    const problem = picker.problem();
    if (problem) {
      complain(form, problem.field, problem.text);
      return;
    }
    submit(context, form, { c: 'register', ...wish(), passphrase: picker.value() }, 'recovery_key');
  });
  for (const field of [handle, alias]) {
    field.addEventListener('change', () => {
      if (step === 1 && handle.value.trim() !== '') context.send({ c: 'check_registration', ...wish() });
    });
  }
  // Whether a link can still be used is said before anything is typed. The server looks at links first.
  asking = (setup || invited) && !lostLink();
  if (asking)
    context.send({ c: 'check_registration', ...wish(), handle: named || `link-${crypto.randomUUID().slice(0, 8)}` });
  const stop = () => {
    for (const close of above.splice(0).reverse()) close();
    picker.stop();
    subscriptions.stop();
  };
  return { node, focus: () => handle.focus({ preventScroll: true }), stop };
}

/** @param {string} fragment @returns {string} the handle after the secret, where there is one */
function handleIn(fragment) {
  const dot = fragment.indexOf('.');
  try {
    return dot < 0 ? '' : decodeURIComponent(fragment.slice(dot + 1));
  } catch {
    return '';
  }
}

/** @param {HTMLElement} panel @param {number} step */
function steps(panel, step) {
  [...slot(panel, 'steps').children].forEach((mark, index) => mark.toggleAttribute('data-done', index < step));
}

/**
 * The administrator's first choice.
 * @param {Context} context
 * @param {() => void} done
 * @returns {View}
 */
export function modeView(context, done) {
  const { node, panel } = frontPage('view-registration-mode');
  const form = /** @type {HTMLElement} */ (panel.querySelector('form'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const mode = input(form, 'input:checked').value;
    submit(context, form, { c: 'set_registration', mode }, 'server', done);
  });
  return { node, focus: () => input(form, 'input:checked').focus({ preventScroll: true }), stop: () => {} };
}

/** @param {Context} context @returns {View} */
export function inviteView(context) {
  const { node, panel } = frontPage('view-invite');
  const whole = /^[0-9a-f]{32}\.[0-9a-f]{32}\.[0-9a-f]{64}$/.test(context.fragment());
  slot(panel, 'choices').hidden = !whole;
  slot(panel, 'broken').hidden = whole;
  slot(panel, 'elsewhere').hidden = whole;
  if (lostLink()) {
    const broken = slot(panel, 'broken');
    broken.className = 'notice notice--info';
    broken.replaceChildren(icon('info'), h('span', {}, OPEN_AGAIN));
  }
  return { node, stop: () => {} };
}
