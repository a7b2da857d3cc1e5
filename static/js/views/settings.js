/** Profile, appearance, privacy, passphrase, sessions, invite links, and what is running. */
import { avatar, clone, h, icon, input, rowsOf, say, slot } from '../lib/dom.js';
import { complain, showButtons, submit, wrong } from '../lib/form.js';
import { browserName, duration, fullTime } from '../lib/format.js';
import { View, page } from '../lib/part.js';
import { toast } from '../lib/say.js';
import { BURNS, LIVES, burnKey, burnOf } from '../chat/timers.js';
import { InviteLink } from '../chat/people.js';
import { askToSignOut } from '../chat/view.js';
import { identityDialog, offerIdentity, proveDialog } from './prove.js';
import { PassphrasePicker } from './passphrase.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../types.js').Session} Session
 * @typedef {import('../types.js').Invite} Invite
 * @typedef {import('../types.js').Person} Person
 * @typedef {import('../lib/part.js').Part} Part
 */

export class Settings extends View {
  /** @param {Context} context */
  constructor(context) {
    super(context, clone('view-settings'));
    const { node } = this;
    showButtons(this, node);
    for (const Section of [Profile, Appearance, Privacy, ChangePassphrase, Sessions, Running]) {
      new Section(context, node, this);
    }
    this.#act();
    this.send({ c: 'list_sessions' });
    this.send({ c: 'list_invites' });
    this.on('invite_created', () => this.send({ c: 'list_invites' }));
    this.listen(window, 'keydown', ({ key }) => {
      if (key === 'Escape' && !document.querySelector('dialog[open]')) context.go('/chat');
    });
  }

  /** @override */
  focus() {
    // `/settings#passphrase` is where password managers send people.
    const target = location.hash === '#passphrase' ? input(this.node, '#current-passphrase') : null;
    const back = /** @type {HTMLElement} */ (this.node.querySelector('[data-testid="settings-back"]'));
    target?.closest('section')?.scrollIntoView();
    (target ?? back).focus({ preventScroll: true });
  }

  #act() {
    const { context } = this;
    this.actions(this.node, {
      'sign-out': () => askToSignOut(context),
      'revoke-others': () =>
        proveDialog(context, {
          name: 'revoke-others',
          title: 'Sign out everywhere else?',
          text: 'Every other browser loses its session at once, and what it kept of your safe opens nothing any more. Your passphrase stays as it is.',
          yes: 'Sign them out',
          command: 'revoke_other_sessions',
          done: 'sessions',
          then: () => offerIdentity(context, 'You are signed out everywhere else.'),
        }),
      'new-identity': () => identityDialog(context),
      'delete-account': () =>
        proveDialog(context, {
          name: 'delete-account',
          title: 'Delete your account?',
          text: 'This cannot be undone. Your keys and contacts are erased, every browser of yours is signed out, and what waits unread is wiped. Your recovery key opens nothing afterwards.',
          yes: 'Delete my account',
          command: 'delete_account',
        }),
      revoke: ({ dataset }) => this.send({ c: 'revoke_session', id: dataset.id }),
      unblock: ({ dataset }) => this.send({ c: 'unblock', chat: dataset.id }),
      invite: () => new InviteLink(context),
      'revoke-invite': ({ dataset }) => this.send({ c: 'revoke_invite', id: dataset.id }),
    });
  }
}

class Profile extends View {
  #form;
  #field;

  /** @param {Context} context @param {HTMLElement} node @param {Part} owner */
  constructor(context, node, owner) {
    super(context, node, owner);
    this.#form = /** @type {HTMLElement} */ (node.querySelector('[data-form="alias"]'));
    this.#field = input(this.#form, '#settings-alias');
    this.#show();
    this.on('state', () => this.#show());
    this.on('failed', (failed) => {
      if (failed.during === 'set_alias') wrong(this, this.#form, this.#field, failed.text);
      return false;
    });
    this.listen(this.#form, 'submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  #show() {
    const { me } = this.state.state;
    if (!me) return;
    const form = this.#form;
    slot(form, 'avatar').replaceChildren(avatar(me.user_id, me.alias || me.handle));
    slot(form, 'me-name').textContent = me.alias || me.handle;
    slot(form, 'me-handle').textContent = `@${me.handle}`;
    if (document.activeElement !== this.#field) this.#field.value = me.alias;
  }

  #submit() {
    const field = this.#field;
    const alias = field.value.trim();
    if (alias === '') {
      complain(this, this.#form, field, 'Type the name that others shall see.');
      return;
    }
    submit(page, this.context, this.#form, { c: 'set_alias', alias }, 'state', () => {
      field.value = this.state.state.me?.alias ?? alias;
      toast('Your name is saved. The people you know are told.');
    });
  }
}

class Appearance extends View {
  /** @param {Context} context @param {HTMLElement} node @param {Part} owner */
  constructor(context, node, owner) {
    super(context, node, owner);
    const group = slot(node, 'theme');
    const { dataset } = document.documentElement;
    input(group, `[value="${dataset.theme ?? 'system'}"]`).checked = true;
    this.listen(group, 'change', (event) => {
      const { value } = /** @type {HTMLInputElement} */ (event.target);
      try {
        if (value === 'system') localStorage.removeItem('theme');
        else localStorage.setItem('theme', value);
      } catch {
        toast('This browser keeps nothing, so the theme lasts until the page is closed.');
      }
      if (value === 'system') delete dataset.theme;
      else dataset.theme = value;
    });
  }
}

class Privacy extends View {
  #receipts = /** @type {HTMLInputElement} */ (slot(this.node, 'receipts'));
  #typing = /** @type {HTMLInputElement} */ (slot(this.node, 'typing'));
  #burn = this.#select('burn');
  #life = this.#select('life');
  #lock = this.#select('lock');
  #people = this.#blockedRows();

  /** @param {Context} context @param {HTMLElement} node @param {Part} owner */
  constructor(context, node, owner) {
    super(context, node, owner);
    this.#burn.append(...BURNS.map(([burn, text]) => h('option', { value: burnKey(burn) }, text)));
    this.#life.append(...LIVES.map((seconds) => h('option', { value: seconds }, duration(seconds))));
    this.#lock.append(...[60, 300, 900, 0].map((seconds) => h('option', { value: seconds }, idleText(seconds))));
    this.#show();
    this.#blocked();
    this.#set(this.#receipts, (box) => ({ receipts: /** @type {HTMLInputElement} */ (box).checked }));
    this.#set(this.#typing, (box) => ({ typing: /** @type {HTMLInputElement} */ (box).checked }));
    this.#set(this.#burn, ({ value }) => ({ burn: burnOf(value) }));
    this.#set(this.#life, ({ value }) => ({ life_secs: Number(value) }));
    this.#set(this.#lock, ({ value }) => ({ lock_after_secs: Number(value) }));
    this.on('settings', () => this.#show());
    this.on('blocked', () => this.#blocked());
  }

  /** @param {string} name */
  #select(name) {
    return /** @type {HTMLSelectElement} */ (this.node.querySelector(`#settings-${name}`));
  }

  /** @param {HTMLInputElement | HTMLSelectElement} field @param {(field: HTMLInputElement | HTMLSelectElement) => object} wish */
  #set(field, wish) {
    this.listen(field, 'change', () => this.send({ c: 'set_settings', ...wish(field) }));
  }

  #show() {
    const { settings } = this.state;
    this.#receipts.checked = settings.receipts;
    this.#typing.checked = settings.typing;
    this.#burn.value = burnKey(settings.burn);
    this.#life.value = String(settings.life_secs);
    this.#lock.value = String(settings.lock_after_secs);
  }

  /** @returns {(people: Person[]) => void} */
  #blockedRows() {
    return rowsOf(slot(this.node, 'blocked'), {
      key: (person) => person.user_id,
      make: () => h('li'),
      from: (person) => person,
      draw: (row, person) => {
        const name = person.alias || person.handle;
        const how = { type: 'button', 'data-action': 'unblock', 'data-id': person.user_id };
        row.replaceChildren(
          avatar(person.user_id, name, 'sm'),
          h('span', { class: 'grow' }, name, ' ', h('span', { class: 'muted small' }, `@${person.handle}`)),
          h('button', { class: SMALL, ...how, 'aria-label': `Unblock ${person.handle}` }, 'Unblock'),
        );
      },
    });
  }

  #blocked() {
    slot(this.node, 'blocked-part').hidden = this.state.blocked.length === 0;
    this.#people(this.state.blocked);
  }
}

/** A small button in a row. */
const SMALL = 'button button--line button--small';

/** @param {number} seconds */
function idleText(seconds) {
  if (seconds === 0) return '30 minutes (end of session)';
  return duration(seconds).replace(' min', seconds === 60 ? ' minute' : ' minutes');
}

class ChangePassphrase extends View {
  #form = /** @type {HTMLFormElement} */ (this.node.querySelector('[data-form="change"]'));
  #current = input(this.#form, '#current-passphrase');
  #picker = this.#pick();

  /** @param {Context} context @param {HTMLElement} node @param {Part} owner */
  constructor(context, node, owner) {
    super(context, node, owner);
    /** @type {HTMLInputElement} */ (slot(this.#form, 'username')).value = this.state.state.me?.handle ?? '';
    this.listen(this.#form, 'submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  #pick() {
    const picker = new PassphrasePicker(this.context, 'New passphrase', this);
    slot(this.#form, 'picker').replaceChildren(picker.node);
    return picker;
  }

  #submit() {
    const [form, current] = [this.#form, this.#current];
    const problem = this.#picker.problem();
    if (current.value === '') complain(this, form, current, 'Type the passphrase that you use now.');
    else if (problem) complain(this, form, problem.field, problem.text);
    else {
      const command = { c: 'change_passphrase', current: current.value, new: this.#picker.value };
      submit(page, this.context, form, command, 'passphrase_changed', () => this.#changed());
    }
  }

  #changed() {
    offerIdentity(this.context, 'Your passphrase is changed. The old one opens your account no more.');
    if (this.ended) return;
    this.#current.value = '';
    this.#picker.stop();
    this.#picker = this.#pick();
  }
}

class Sessions extends View {
  /** @param {Context} context @param {HTMLElement} node @param {Part} owner */
  constructor(context, node, owner) {
    super(context, node, owner);
    /** @type {(sessions: Session[]) => void} */
    const rows = rowsOf(slot(node, 'sessions'), {
      key: (session) => session.id,
      make: () => h('li', { 'data-testid': 'session' }),
      from: (session) => [{ ...session, last_activity: 0 }, lastActive(session)],
      draw: sessionLine,
    });
    const links = slot(node, 'invites');
    /** @type {(invites: Invite[]) => void} */
    const lines = rowsOf(links, {
      key: (invite) => invite.id,
      make: () => h('li', { 'data-testid': 'invite' }),
      from: (invite) => [invite, isOver(invite)],
      draw: inviteLine,
    });
    this.on('sessions', ({ sessions }) => rows(sessions));
    this.on('invites', ({ invites }) => {
      lines(invites);
      if (invites.length === 0)
        links.append(h('li', { class: 'muted small' }, 'No links. Each link works for one person.'));
    });
  }
}

/** @param {Session} session */
const lastActive = (session) => fullTime(session.last_activity * 1000);

/** @param {HTMLElement} row @param {Session} session */
function sessionLine(row, session) {
  const name = session.device_name || browserName(session.user_agent);
  const from = session.ip ? ` from ${session.ip}` : '';
  const text = `Signed in ${fullTime(session.created_at * 1000)}${from}. Last active ${lastActive(session)}.`;
  const mark = session.current && h('span', { class: 'tag tag--good' }, 'This one');
  const lines = [h('div', { class: 'row' }, h('strong', {}, name), mark), h('p', { class: 'small muted' }, text)];
  row.replaceChildren(icon('device'), h('div', { class: 'grow' }, ...lines));
  if (session.current) return;
  const how = { type: 'button', 'data-action': 'revoke', 'data-id': session.id, 'data-testid': 'revoke-session' };
  row.append(h('button', { class: SMALL, ...how }, 'Sign out'));
}

/** @param {Invite} invite */
const isOver = (invite) => invite.expires_at * 1000 <= Date.now();

/**
 * A link as it stands: only one that still opens something can be withdrawn.
 * @param {HTMLElement} row
 * @param {Invite} invite
 */
function inviteLine(row, invite) {
  const over = isOver(invite);
  const used = invite.uses >= invite.max_uses;
  const text = used
    ? 'Used.'
    : over
      ? `Expired ${fullTime(invite.expires_at * 1000)}.`
      : `Not used yet. Works until ${fullTime(invite.expires_at * 1000)}.`;
  const made = invite.created_at > 0 ? ` Made ${fullTime(invite.created_at * 1000)}.` : '';
  row.dataset.used = String(used);
  row.replaceChildren(
    icon('link'),
    h('span', { class: used || over ? 'grow small muted' : 'grow small' }, text + made),
  );
  if (!used && !over)
    row.append(
      h(
        'button',
        {
          class: 'button button--line button--small',
          type: 'button',
          'data-action': 'revoke-invite',
          'data-id': invite.id,
          'data-testid': 'revoke-invite',
        },
        'Withdraw',
      ),
    );
}

class Running extends View {
  #registration = slot(this.node, 'registration');

  /** @param {Context} context @param {HTMLElement} node @param {Part} owner */
  constructor(context, node, owner) {
    super(context, node, owner);
    this.#show();
    this.listen(this.#registration, 'change', (event) => {
      this.send({ c: 'set_registration', mode: /** @type {HTMLInputElement} */ (event.target).value });
    });
    for (const kind of ['server', 'about', 'state']) this.on(kind, () => this.#show());
  }

  #show() {
    const { node } = this;
    const { server, about } = this.state;
    slot(node, 'bundle').textContent = document.documentElement.dataset.bundle || 'unknown';
    say(slot(node, 'wasm'), about?.wasmHash ?? 'unknown');
    if (!server) return;
    slot(node, 'version').textContent = server.version;
    slot(node, 'server-bundle').textContent = server.bundle_hash ?? 'nothing';
    slot(node, 'boot').textContent = server.boot_id;
    slot(node, 'registration-part').hidden = this.state.state.me?.role !== 'admin';
    input(this.#registration, `[value="${server.registration}"]`).checked = true;
  }
}
