/** Profile, appearance, privacy, passphrase, sessions, invite links, and what is running. */
import { actions, avatar, clone, h, icon, input, rowsOf, say, slot } from '../lib/dom.js';
import { complain, showButtons, submit, wrong } from '../lib/form.js';
import { browserName, duration, fullTime } from '../lib/format.js';
import { toast } from '../lib/say.js';
import { Subscriptions } from '../lib/state.js';
import { BURNS, LIVES, burnKey } from '../chat/timers.js';
import { confirmDialog, inviteDialog } from '../chat/people.js';
import { identityDialog, offerIdentity, proveDialog } from './prove.js';
import { passphrasePicker } from './passphrase.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../types.js').View} View
 * @typedef {import('../types.js').Session} Session
 * @typedef {import('../types.js').Invite} Invite
 * @typedef {import('../types.js').Person} Person
 */

/** @param {Context} context @returns {View} */
export function settingsView(context) {
  const { state, send } = context;
  const node = clone('view-settings');
  const subscriptions = new Subscriptions();
  showButtons(node);
  profile(context, node, subscriptions);
  appearance(node);
  privacy(context, node, subscriptions);
  const stopPicker = passphrase(context, node);
  sessions(context, node, subscriptions);
  about(context, node, subscriptions);
  actions(node, {
    'sign-out': () =>
      confirmDialog(
        {
          title: 'Sign out?',
          text: 'Keys and messages are wiped from this browser. What you have read here is gone for good; what is unread still waits.',
          yes: 'Sign out',
        },
        () => send({ c: 'sign_out' }),
      ),
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
    revoke: (target) => send({ c: 'revoke_session', id: target.dataset.id }),
    unblock: (target) => send({ c: 'unblock', chat: target.dataset.id }),
    invite: () => inviteDialog(context),
    'revoke-invite': (target) => send({ c: 'revoke_invite', id: target.dataset.id }),
  });
  send({ c: 'list_sessions' });
  send({ c: 'list_invites' });
  const keys = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape' && !document.querySelector('dialog[open]')) context.go('/chat');
  };
  addEventListener('keydown', keys);
  subscriptions.add(
    () => removeEventListener('keydown', keys),
    state.on('invite_created', () => send({ c: 'list_invites' })),
  );
  const focus = () => {
    // `/settings#passphrase` is where password managers send people.
    const target = location.hash === '#passphrase' ? input(node, '#current-passphrase') : null;
    target?.closest('section')?.scrollIntoView();
    (target ?? /** @type {HTMLElement} */ (node.querySelector('[data-testid="settings-back"]'))).focus({
      preventScroll: true,
    });
  };
  return {
    node,
    focus,
    stop: () => {
      stopPicker();
      subscriptions.stop();
    },
  };
}

/** @param {Context} context @param {HTMLElement} node @param {Subscriptions} subscriptions */
function profile(context, node, subscriptions) {
  const { state } = context;
  const form = /** @type {HTMLElement} */ (node.querySelector('[data-form="alias"]'));
  const field = input(form, '#settings-alias');
  const show = () => {
    const me = state.state.me;
    if (!me) return;
    slot(form, 'avatar').replaceChildren(avatar(me.user_id, me.alias || me.handle));
    slot(form, 'me-name').textContent = me.alias || me.handle;
    slot(form, 'me-handle').textContent = `@${me.handle}`;
    if (document.activeElement !== field) field.value = me.alias;
  };
  show();
  subscriptions.add(
    state.on('state', show),
    state.on('failed', (failed) => {
      if (failed.during === 'set_alias') wrong(form, field, failed.text);
      return false;
    }),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const alias = field.value.trim();
    if (alias === '') complain(form, field, 'Type the name that others shall see.');
    else {
      submit(context, form, { c: 'set_alias', alias }, 'state', () => {
        field.value = state.state.me?.alias ?? alias;
        toast('Your name is saved. The people you know are told.');
      });
    }
  });
}

/** @param {HTMLElement} node */
function appearance(node) {
  const group = slot(node, 'theme');
  input(group, `[value="${document.documentElement.dataset.theme ?? 'system'}"]`).checked = true;
  group.addEventListener('change', (event) => {
    const { value } = /** @type {HTMLInputElement} */ (event.target);
    try {
      if (value === 'system') localStorage.removeItem('theme');
      else localStorage.setItem('theme', value);
    } catch {
      toast('This browser keeps nothing, so the theme lasts until the page is closed.');
    }
    if (value === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = value;
  });
}

/** @param {Context} context @param {HTMLElement} node @param {Subscriptions} subscriptions */
function privacy({ state, send }, node, subscriptions) {
  const receipts = /** @type {HTMLInputElement} */ (slot(node, 'receipts'));
  const typing = /** @type {HTMLInputElement} */ (slot(node, 'typing'));
  const burn = /** @type {HTMLSelectElement} */ (node.querySelector('#settings-burn'));
  const life = /** @type {HTMLSelectElement} */ (node.querySelector('#settings-life'));
  const lock = /** @type {HTMLSelectElement} */ (node.querySelector('#settings-lock'));
  burn.append(...BURNS.map(([value, text]) => h('option', { value: burnKey(value) }, text)));
  life.append(...LIVES.map((seconds) => h('option', { value: seconds }, duration(seconds))));
  lock.append(
    ...[60, 300, 900, 0].map((seconds) =>
      h(
        'option',
        { value: seconds },
        seconds === 0
          ? '30 minutes (end of session)'
          : duration(seconds).replace(' min', seconds === 60 ? ' minute' : ' minutes'),
      ),
    ),
  );
  const show = () => {
    const settings = state.settings;
    receipts.checked = settings.receipts;
    typing.checked = settings.typing;
    burn.value = burnKey(settings.burn);
    life.value = String(settings.life_secs);
    lock.value = String(settings.lock_after_secs);
  };
  show();
  receipts.addEventListener('change', () => send({ c: 'set_settings', receipts: receipts.checked }));
  typing.addEventListener('change', () => send({ c: 'set_settings', typing: typing.checked }));
  burn.addEventListener('change', () =>
    send({ c: 'set_settings', burn: (BURNS.find(([value]) => burnKey(value) === burn.value) ?? BURNS[0])[0] }),
  );
  life.addEventListener('change', () => send({ c: 'set_settings', life_secs: Number(life.value) }));
  lock.addEventListener('change', () => send({ c: 'set_settings', lock_after_secs: Number(lock.value) }));
  /** @type {(people: Person[]) => void} */
  const people = rowsOf(slot(node, 'blocked'), {
    key: (person) => person.user_id,
    make: () => h('li'),
    from: (person) => person,
    draw: (row, person) =>
      row.replaceChildren(
        avatar(person.user_id, person.alias || person.handle, 'sm'),
        h(
          'span',
          { class: 'grow' },
          person.alias || person.handle,
          ' ',
          h('span', { class: 'muted small' }, `@${person.handle}`),
        ),
        h(
          'button',
          {
            class: 'button button--line button--small',
            type: 'button',
            'data-action': 'unblock',
            'data-id': person.user_id,
            'aria-label': `Unblock ${person.handle}`,
          },
          'Unblock',
        ),
      ),
  });
  const blocked = () => {
    slot(node, 'blocked-part').hidden = state.blocked.length === 0;
    people(state.blocked);
  };
  blocked();
  subscriptions.add(state.on('settings', show), state.on('blocked', blocked));
}

/** @param {Context} context @param {HTMLElement} node @returns {() => void} */
function passphrase(context, node) {
  const form = /** @type {HTMLFormElement} */ (node.querySelector('[data-form="change"]'));
  const current = input(form, '#current-passphrase');
  let picker = passphrasePicker(context, 'New passphrase');
  slot(form, 'picker').append(picker.node);
  /** @type {HTMLInputElement} */ (slot(form, 'username')).value = context.state.state.me?.handle ?? '';
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const problem = picker.problem();
    if (current.value === '') complain(form, current, 'Type the passphrase that you use now.');
    else if (problem) complain(form, problem.field, problem.text);
    else {
      submit(
        context,
        form,
        { c: 'change_passphrase', current: current.value, new: picker.value() },
        'passphrase_changed',
        () => {
          offerIdentity(context, 'Your passphrase is changed. The old one opens your account no more.');
          current.value = '';
          picker.stop();
          picker = passphrasePicker(context, 'New passphrase');
          slot(form, 'picker').replaceChildren(picker.node);
        },
      );
    }
  });
  return () => picker.stop();
}

/** @param {Context} context @param {HTMLElement} node @param {Subscriptions} subscriptions */
function sessions({ state }, node, subscriptions) {
  const lastActive = (/** @type {Session} */ session) => fullTime(session.last_activity * 1000);
  /** @type {(sessions: Session[]) => void} */
  const rows = rowsOf(slot(node, 'sessions'), {
    key: (session) => session.id,
    make: () => h('li', { 'data-testid': 'session' }),
    from: (session) => [{ ...session, last_activity: 0 }, lastActive(session)],
    draw: (row, session) =>
      row.replaceChildren(
        icon('device'),
        h(
          'div',
          { class: 'grow' },
          h(
            'div',
            { class: 'row' },
            h('strong', {}, session.device_name || browserName(session.user_agent)),
            session.current && h('span', { class: 'tag tag--good' }, 'This one'),
          ),
          h(
            'p',
            { class: 'small muted' },
            `Signed in ${fullTime(session.created_at * 1000)}${session.ip ? ` from ${session.ip}` : ''}. Last active ${lastActive(session)}.`,
          ),
        ),
        ...(session.current
          ? []
          : [
              h(
                'button',
                {
                  class: 'button button--line button--small',
                  type: 'button',
                  'data-action': 'revoke',
                  'data-id': session.id,
                  'data-testid': 'revoke-session',
                },
                'Sign out',
              ),
            ]),
      ),
  });
  const links = slot(node, 'invites');
  /** @type {(invites: Invite[]) => void} */
  const lines = rowsOf(links, {
    key: (invite) => invite.id,
    make: () => h('li', { 'data-testid': 'invite' }),
    from: (invite) => [invite, isOver(invite)],
    draw: inviteLine,
  });
  subscriptions.add(
    state.on('sessions', ({ sessions: list }) => rows(list)),
    state.on('invites', ({ invites }) => {
      lines(invites);
      if (invites.length === 0)
        links.append(h('li', { class: 'muted small' }, 'No links. Each link works for one person.'));
    }),
  );
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

/** @param {Context} context @param {HTMLElement} node @param {Subscriptions} subscriptions */
function about({ state, send }, node, subscriptions) {
  const registration = slot(node, 'registration');
  const show = () => {
    const server = state.server;
    slot(node, 'bundle').textContent = document.documentElement.dataset.bundle || 'unknown';
    say(slot(node, 'wasm'), state.about?.wasmHash ?? 'unknown');
    if (!server) return;
    slot(node, 'version').textContent = server.version;
    slot(node, 'server-bundle').textContent = server.bundle_hash ?? 'nothing';
    slot(node, 'boot').textContent = server.boot_id;
    slot(node, 'registration-part').hidden = state.state.me?.role !== 'admin';
    input(registration, `[value="${server.registration}"]`).checked = true;
  };
  show();
  registration.addEventListener('change', (event) =>
    send({ c: 'set_registration', mode: /** @type {HTMLInputElement} */ (event.target).value }),
  );
  subscriptions.add(state.on('server', show), state.on('about', show), state.on('state', show));
}
