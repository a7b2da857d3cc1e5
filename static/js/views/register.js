/** Creating an account: name, passphrase, recovery key; the set-up and invite links lead here too. */
import { h, icon, input, say, slot } from '../lib/dom.js';
import { complain, right, submit, wrong } from '../lib/form.js';
import { layer } from '../lib/layers.js';
import { byInvite, lostLink } from '../lib/router.js';
import { ConfirmRecoveryKey, FrontView } from './front.js';
import { PassphrasePicker } from './passphrase.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../types.js').FailedEvent} FailedEvent
 */

/** What to do where a page was loaded again: the secret of its link is kept nowhere. */
const LOADED_AGAIN =
  'This page was loaded again and no longer has what the link carried. Open the link again from where you got it.';
const OPEN_AGAIN = `${LOADED_AGAIN} It works unless it was used.`;
const INVITED = 'You come by an invite link. Whoever sent it is asked to talk with you as soon as you are in.';

export class Register extends FrontView {
  #form = this.form;
  #handle = this.field('[name="handle"]');
  #alias = this.field('[name="alias"]');
  #marks = slot(this.panel, 'steps');
  #picker = new PassphrasePicker(this.context, 'Your passphrase', this);
  #setup = location.pathname === '/setup';
  #fragment = this.context.fragment();
  /** A link from the server's terminal names the handle that it is for. */
  #named = this.#setup ? handleIn(this.#fragment) : '';
  #invited = !this.#setup && this.#fragment.includes('.');
  #step = 1;
  /** Whether the server is being asked about the link alone. */
  #asking = false;
  /** What the browser's Back closes, above the first step. @type {(() => void)[]} */
  #above = [];
  /** The recovery key, while it is shown. @type {ConfirmRecoveryKey | null} */
  #key = null;

  /** @param {Context} context */
  constructor(context) {
    super(context, 'view-register');
    slot(this.panel, 'passphrase').append(this.#picker.node);
    this.#entitle();
    this.#tell();
    this.#show();
    const back = /** @type {HTMLElement} */ (this.#form.querySelector('[data-action="back"]'));
    this.listen(back, 'click', () => this.#back());
    this.on('server', () => this.#tell());
    this.on('failed', (failed) => this.#failed(failed));
    this.on('registration_checked', () => {
      this.#asking = false;
      for (const field of [this.#handle, this.#alias]) right(field);
    });
    this.on('recovery_key', (event) => {
      if (event.during === 'register') this.#showKey(event);
    });
    this.listen(this.#form, 'submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    for (const field of [this.#handle, this.#alias]) {
      this.listen(field, 'change', () => {
        if (this.#step === 1 && this.#handle.value.trim() !== '') this.#check(this.#handle.value.trim());
      });
    }
    // Whether a link can still be used is said before anything is typed. The server looks at links first.
    this.#asking = (this.#setup || this.#invited) && !lostLink();
    if (this.#asking) this.#check(this.#named || `link-${crypto.randomUUID().slice(0, 8)}`);
  }

  /** @override */
  focus() {
    this.#handle.focus({ preventScroll: true });
  }

  /** @override */
  stop() {
    if (this.ended) return;
    this.#closeAbove();
    super.stop();
  }

  #entitle() {
    const { panel } = this;
    if (this.#setup) {
      const [title, lead] = this.#named
        ? ['Become an administrator', 'The account that you create administers this server.']
        : ['Set up this server', 'The first account administers this server.'];
      slot(panel, 'title').textContent = title;
      slot(panel, 'lead').textContent = `${lead} It sees security events, and no messages.`;
      slot(panel, 'has-account').hidden = true;
    }
    if (!this.#named) return;
    this.#handle.value = this.#named;
    this.#handle.readOnly = true;
  }

  /** Why nobody can register here; empty where somebody can. */
  #closed() {
    const { server } = this.state;
    if (!server) return '';
    if (this.#setup) {
      if (lostLink()) return server.setup_done ? LOADED_AGAIN : OPEN_AGAIN;
      if (server.setup_done && !this.#named) return 'This server is set up already.';
      if (this.#fragment !== '') return '';
      return 'This link is not complete. Copy the whole set-up link that the server printed when it started.';
    }
    if (!server.setup_done) return 'This server is not set up. Open the set-up link that it printed when it started.';
    if (server.registration === 'closed') return 'This server takes no new accounts at the moment. Ask its operator.';
    if (server.registration === 'open') return '';
    if (lostLink()) return OPEN_AGAIN;
    return this.#invited ? '' : 'You need an invite link for this server. Ask somebody who is here for one.';
  }

  #tell() {
    const why = this.#closed();
    const lost = lostLink() ? `${OPEN_AGAIN} You can also go on without it.` : '';
    const notice = slot(this.panel, 'notice');
    say(notice, why || (this.#invited ? INVITED : lost));
    if (this.#setup && why && this.state.server?.setup_done) {
      const link = { href: '/', 'data-link': true, 'data-testid': 'setup-sign-in' };
      notice.append(' ', h('a', link, 'Sign in instead'));
    }
    this.#form.hidden = why !== '';
  }

  /** @param {string} handle */
  #wish(handle) {
    const setup = this.#setup ? { setup: this.#fragment.split('.')[0] } : {};
    const invite = this.#invited ? { invite: this.#fragment } : {};
    return { handle, alias: this.#alias.value.trim(), ...setup, ...invite };
  }

  /** @param {string} handle */
  #check(handle) {
    this.send({ c: 'check_registration', ...this.#wish(handle) });
  }

  #show() {
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (this.#form.querySelectorAll('[data-step]')))
      part.hidden = Number(part.dataset.step) !== this.#step;
    /** @type {HTMLElement} */ (this.#form.querySelector('[data-action="back"]')).hidden = this.#step === 1;
    steps(this.panel, this.#step);
  }

  #closeAbove() {
    for (const close of this.#above.splice(0).reverse()) close();
  }

  #cancelKey() {
    const key = this.#key;
    this.#key = null;
    key?.giveUp();
  }

  #toFirst() {
    this.#step = 1;
    this.#cancelKey();
    this.#closeAbove();
    this.#show();
  }

  #back() {
    this.#toFirst();
    this.#handle.focus();
  }

  #focusPicker() {
    /** @type {HTMLElement} */ (this.#picker.node.querySelector('input')).focus();
  }

  /** @param {FailedEvent} failed */
  #failed(failed) {
    if (failed.during !== 'register' && failed.during !== 'check_registration') return false;
    const aboutLink = this.#asking;
    this.#asking = false;
    // Of a handle that nobody chose nothing is said.
    if (aboutLink && !/unusable/.test(failed.code)) return true;
    // All but the passphrase is on the first step: what is wrong there is said there.
    const field = /handle/.test(failed.code) ? this.#handle : /alias/.test(failed.code) ? this.#alias : null;
    const dropped = failed.code === 'invite-unusable' && this.state.server?.registration === 'open';
    if (dropped) this.#invited = false;
    const later = this.#step > 1;
    if (field || dropped) {
      this.#toFirst();
      this.#tell();
    }
    const form = this.#form;
    if (field) (later ? complain : wrong)(this, form, field, failed.text);
    else say(slot(form, 'error'), dropped ? `${failed.text} You can also go on without it.` : failed.text);
    return true;
  }

  /** @param {{recovery_key: string, during: string, expires_ms: number}} event */
  #showKey(event) {
    this.#key = new ConfirmRecoveryKey(this, this.panel, event, this.#handle.value.trim(), () => this.#toFirst());
    this.panel.prepend(this.#marks.cloneNode(true));
    steps(this.panel, 3);
    const over = layer(() => {
      this.#above.pop();
      this.#cancelKey();
      this.#focusPicker();
    });
    this.#above.push(over);
  }

  #submit() {
    const form = this.#form;
    const handle = this.#handle.value.trim();
    if (this.#step === 1) {
      if (handle === '') {
        complain(this, form, this.#handle, 'Choose a handle: letters and digits, for example alice.');
        return;
      }
      const command = { c: 'check_registration', ...this.#wish(handle) };
      submit(this, this.context, form, command, 'registration_checked', () => {
        this.#step = 2;
        this.#above.push(layer(() => this.#back()));
        this.#show();
        this.#focusPicker();
      });
      return;
    }
    const problem = this.#picker.problem();
    if (problem) {
      complain(this, form, problem.field, problem.text);
      return;
    }
    const command = { c: 'register', ...this.#wish(handle), passphrase: this.#picker.value };
    submit(this, this.context, form, command, 'recovery_key');
  }
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

/** The administrator's first choice. */
export class RegistrationMode extends FrontView {
  /**
   * @param {Context} context
   * @param {() => void} done
   */
  constructor(context, done) {
    super(context, 'view-registration-mode');
    this.listen(this.form, 'submit', (event) => {
      event.preventDefault();
      submit(this, context, this.form, { c: 'set_registration', mode: this.#chosen.value }, 'server', done);
    });
  }

  get #chosen() {
    return input(this.form, 'input:checked');
  }

  /** @override */
  focus() {
    this.#chosen.focus({ preventScroll: true });
  }
}

export class Invite extends FrontView {
  /** @param {Context} context */
  constructor(context) {
    super(context, 'view-invite');
    const { panel } = this;
    const whole = byInvite();
    const broken = slot(panel, 'broken');
    slot(panel, 'choices').hidden = !whole;
    broken.hidden = whole;
    slot(panel, 'elsewhere').hidden = whole;
    if (!lostLink()) return;
    broken.className = 'notice notice--info';
    broken.replaceChildren(icon('info'), h('span', {}, OPEN_AGAIN));
  }
}
