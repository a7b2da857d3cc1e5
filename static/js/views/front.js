/** Signing in, recovering and unlocking. */
import { clone, cloneAll, h, icon, input, say, slot } from '../lib/dom.js';
import { complain, showButtons, submit } from '../lib/form.js';
import { clockTime } from '../lib/format.js';
import { layer } from '../lib/layers.js';
import { Part, View } from '../lib/part.js';
import { byInvite, go, lostLink } from '../lib/router.js';
import { copy } from '../lib/say.js';
import { PassphrasePicker } from './passphrase.js';

/** @typedef {import('../types.js').Context} Context */

/** The two halves that all these pages share, with a panel to fill. */
export class FrontView extends View {
  /** @type {HTMLElement} */
  panel;

  /** @param {Context} context @param {string} template */
  constructor(context, template) {
    super(context, clone('view-front'));
    this.panel = slot(this.node, 'panel');
    this.panel.append(cloneAll(template));
    showButtons(this, this.panel);
  }

  /** @returns {HTMLElement} */
  get form() {
    return /** @type {HTMLElement} */ (this.panel.querySelector('form'));
  }

  /** @param {string} selector */
  field(selector) {
    return input(this.panel, selector);
  }
}

/** What somebody did in another browser, or at the server. @type {Record<string, string>} */
const WHY_ELSEWHERE = {
  ended_elsewhere:
    'You were signed out from another browser of this account. If that was not you, sign in and change your passphrase.',
  passphrase_elsewhere:
    'The passphrase of this account was changed, or everybody else was signed out, in another browser. Sign in with the passphrase of now. If that was not you, recover the account with your recovery key.',
  recovered_elsewhere:
    'This account was recovered with its recovery key, in another browser. It has a new passphrase and a new recovery key, and those of before open nothing. If that was not you, the account is no longer yours alone: tell your contacts another way.',
  account_closed: 'This account was deleted, or whoever runs this server disabled it. Ask them if you do not know why.',
};

/** @type {Record<string, string>} */
const WHY_SIGNED_OUT = {
  expired:
    'Your session is over. A session ends after 30 minutes without use, after 12 hours, or when it is ended in another browser. What you had read is gone. Sign in to go on.',
  ...WHY_ELSEWHERE,
  idle: 'You were signed out because nothing was done here for a while. Sign in again to go on.',
  user: 'You are signed out. Keys and messages are gone from this browser’s memory.',
  deleted: 'Your account is deleted. Nobody can sign in to it any more, and nothing of it is left in this browser.',
};

/** @type {Record<string, string>} */
const WHY_LOCKED = {
  user: 'Keys and messages are gone from this browser’s memory.',
  expired: 'Your session is over, so keys and messages were wiped from memory.',
  ...WHY_ELSEWHERE,
  idle: 'Nothing was done here for a while, so keys and messages were wiped from memory.',
};

/** What became of what waited at the server. */
const WAITING = {
  '': 'What is unread waits for you until its time is up or the server restarts.',
  restarted:
    'The server was restarted meanwhile. What waited there unread is gone; whoever wrote it is told and can send it again.',
  restored:
    'The server was restored from a backup meanwhile. What waited there unread is gone: ask people to send it again.',
};

/**
 * Why somebody is not in, and what waits for them.
 * @param {import('../lib/state.js').State} state
 * @param {Record<string, string>} reasons
 */
function closedText({ state: { reason }, meanwhile }, reasons) {
  const waits = meanwhile !== '' || ['ended_elsewhere', 'expired', 'idle', 'user'].includes(reason);
  const gone = ['account_closed', 'deleted'].includes(reason);
  return [reasons[reason], waits && !gone ? WAITING[meanwhile] : ''].filter(Boolean).join(' ');
}

/**
 * What was not sent before the account was closed here.
 * @param {import('../types.js').StateEvent} state
 * @param {string} when
 */
function unsentText({ unsent = [] }, when) {
  const count = unsent.reduce((all, { messages }) => all + messages, 0);
  if (count === 0) return '';
  return count === 1
    ? `1 message was not sent. It is sent when you ${when}.`
    : `${count} messages were not sent. They are sent when you ${when}.`;
}

const CAME_BY_LINK =
  'If you came by an invite link, sign in first. Then open the link again: it works unless it was used.';
/** What a link of somebody with an account does. */
const BY_LINK =
  'You come by an invite link. Sign in, and whoever sent it is asked to talk with you. If you know each other already, their chat opens.';

export class SignIn extends FrontView {
  #form = this.form;
  #handle = this.field('[name="handle"]');
  #passphrase = this.field('[name="passphrase"]');
  /** The core is not there yet: what was typed is sent as soon as it is. */
  #waiting = false;

  /** @param {Context} context */
  constructor(context) {
    super(context, 'view-sign-in');
    this.#tell();
    this.#server();
    this.#handle.value = this.state.state.handle ?? '';
    this.on('server', () => {
      this.#server();
      this.#tell();
    });
    this.listen(this.#form, 'submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.on('state', (event) => {
      this.#tell();
      if (!this.#waiting || event.state === 'starting') return;
      this.#wait(false);
      if (event.state === 'signed_out') this.#signIn();
    });
  }

  /** @override */
  focus() {
    const known = (this.state.state.handle ?? '') !== '';
    (known ? this.#passphrase : this.#handle).focus({ preventScroll: true });
  }

  /** Why somebody is here, and what is to come. */
  #tell() {
    const { reason } = this.state.state;
    const notice = slot(this.panel, 'notice');
    const link = byInvite() ? BY_LINK : lostLink() ? CAME_BY_LINK : '';
    const why = closedText(this.state, WHY_SIGNED_OUT);
    const text = [why, unsentText(this.state.state, 'sign in'), link].filter(Boolean).join(' ');
    notice.hidden = text === '';
    notice.replaceChildren(icon('info'), h('span', {}, text));
    notice.dataset.reason = reason;
    notice.classList.toggle('notice--warn', ['expired', 'idle'].includes(reason) || reason in WHY_ELSEWHERE);
  }

  /** Who can register here. */
  #server() {
    const { server } = this.state;
    if (!server || server.registration === 'open') return;
    const closed = server.registration === 'closed';
    const ready = closed ? 'This server takes no new accounts.' : 'New here? Ask somebody for an invite link.';
    const line = server.setup_done
      ? ready
      : 'This server is not set up. Open the set-up link that it printed when it started.';
    slot(this.panel, 'register').textContent = line;
  }

  #submit() {
    const form = this.#form;
    if (this.#handle.value.trim() === '') complain(this, form, this.#handle, 'Type your handle.');
    else if (this.#passphrase.value === '') complain(this, form, this.#passphrase, 'Type your passphrase.');
    else if (this.state.state.state === 'starting') this.#wait(true);
    else this.#signIn();
  }

  #signIn() {
    const [handle, passphrase] = [this.#handle.value.trim(), this.#passphrase.value];
    submit(this, this.context, this.#form, { c: 'sign_in', handle, passphrase });
  }

  /** @param {boolean} waiting */
  #wait(waiting) {
    this.#waiting = waiting;
    const button = /** @type {HTMLElement} */ (this.#form.querySelector('[data-testid="sign-in-submit"]'));
    if (waiting) button.setAttribute('aria-busy', 'true');
    else button.removeAttribute('aria-busy');
  }
}

export class Recover extends FrontView {
  #form = this.form;
  #handle = this.field('[name="handle"]');
  #picker = new PassphrasePicker(this.context, 'Your new passphrase', this);

  /** @param {Context} context */
  constructor(context) {
    super(context, 'view-recover');
    slot(this.panel, 'passphrase').append(this.#picker.node);
    this.on('recovery_key', (event) => {
      if (event.during !== 'recover') return;
      const back = () => {
        confirm.giveUp();
        over();
      };
      const confirm = new ConfirmRecoveryKey(this, this.panel, event, this.#handle.value.trim(), back);
      const over = layer(() => confirm.giveUp());
      this.atEnd(over);
    });
    this.listen(this.#form, 'submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** @override */
  focus() {
    this.#handle.focus({ preventScroll: true });
  }

  #submit() {
    const form = this.#form;
    const handle = this.#handle.value.trim();
    const key = input(form, '[name="recovery_key"]');
    const problem = this.#picker.problem();
    if (handle === '') complain(this, form, this.#handle, 'Type your handle.');
    else if (key.value.trim() === '') complain(this, form, key, 'Type your recovery key.');
    else if (problem) complain(this, form, problem.field, problem.text);
    else {
      const command = { c: 'recover', handle, recovery_key: key.value, passphrase: this.#picker.value };
      submit(this, this.context, form, command, 'recovery_key');
    }
  }
}

/** @param {string} handle as somebody typed it @returns {string} as the server writes it */
function written(handle) {
  return handle.replace(/^@/, '').normalize('NFKC').toLowerCase();
}

/** Shows a recovery key once and asks for it back. */
export class ConfirmRecoveryKey extends Part {
  #send;
  #panel;
  #before;

  /**
   * @param {View} owner
   * @param {HTMLElement} panel
   * @param {{recovery_key: string, during: string, expires_ms: number}} event
   * @param {string} handle
   * @param {() => void} restart what "Start over" does; it gives the key up
   */
  constructor(owner, panel, event, handle, restart) {
    super(owner);
    const { context } = owner;
    this.#send = context.send;
    this.#panel = panel;
    this.#before = [...panel.childNodes];
    const page = cloneAll('view-recovery-key');
    slot(page, 'key').append(...event.recovery_key.split('-').map((group) => h('li', {}, group)));
    slot(page, 'whose').textContent = `Of @${written(handle)} at ${location.host}`;
    slot(page, 'deadline').textContent =
      `Finish before ${clockTime(event.expires_ms)}. Until then this key opens nothing, and a page that is loaded again shows another.`;
    const form = /** @type {HTMLElement} */ (page.querySelector('form'));
    const typed = input(form, '#confirm-key');
    const during = ['confirm_recovery_key', event.during];
    this.listen(form, 'submit', (submitted) => {
      submitted.preventDefault();
      const command = { c: 'confirm_recovery_key', typed: typed.value };
      if (typed.value.trim() !== '') submit(this, context, form, command, undefined, undefined, during);
      else complain(this, form, typed, 'Type the recovery key as it is shown above.');
    });
    const heading = /** @type {HTMLElement} */ (page.querySelector('h1'));
    heading.tabIndex = -1;
    panel.replaceChildren(page);
    this.actions(panel, {
      'copy-key': () => void copy(event.recovery_key, 'Recovery key'),
      'print-key': () => print(),
      cancel: () => {
        restart();
        /** @type {HTMLElement | null} */ (panel.querySelector('input:not([readonly])'))?.focus();
      },
    });
    heading.focus();
  }

  /** Gives the key up, as going back does. */
  giveUp() {
    this.#send({ c: 'cancel' });
    this.stop();
    this.#panel.replaceChildren(...this.#before);
  }
}

export class Lock extends View {
  /** @param {Context} context */
  constructor(context) {
    super(context, clone('view-lock'));
    const { node } = this;
    const { me } = this.state.state;
    this.#tell();
    for (const kind of ['state', 'server']) this.on(kind, () => this.#tell());
    /** @type {HTMLInputElement} */ (slot(node, 'username')).value = me?.handle ?? '';
    showButtons(this, node);
    const signOut = () => this.send({ c: 'sign_out' });
    this.actions(node, {
      'sign-out': signOut,
      // What is locked here is gone from memory: whoever recovers the account begins as one who is signed out.
      recover: () => {
        go('/recover');
        signOut();
      },
    });
    const form = /** @type {HTMLElement} */ (node.querySelector('form'));
    this.listen(form, 'submit', (event) => {
      event.preventDefault();
      this.#submit(form);
    });
  }

  /** @override */
  focus() {
    input(this.node, '#unlock-passphrase').focus();
  }

  #tell() {
    const { me } = this.state.state;
    const who = me ? `Signed in as ${me.alias ? `${me.alias}, ` : ''}@${me.handle}. ` : '';
    const why = closedText(this.state, WHY_LOCKED) || 'Your passphrase opens it.';
    slot(this.node, 'why').textContent = `${who}${why}`;
    say(slot(this.node, 'unsent'), unsentText(this.state.state, 'unlock'));
  }

  /** @param {HTMLElement} form */
  #submit(form) {
    const field = input(form, '#unlock-passphrase');
    if (field.value === '') {
      complain(this, form, field, 'Type your passphrase.');
      return;
    }
    submit(this, this.context, form, { c: 'unlock', passphrase: field.value });
    field.value = '';
  }
}
