/** The chats: list, conversation and details, side by side or one at a time. */
import { actions, avatar, clone, h, icon, input, slot } from '../lib/dom.js';
import { layer } from '../lib/layers.js';
import { closePopover, popover } from '../lib/popover.js';
import * as router from '../lib/router.js';
import { announce, badge, toast } from '../lib/say.js';
import { Subscriptions } from '../lib/state.js';
import { composing } from '../lib/text.js';
import { conversation } from './conversation.js';
import { detailsPane, drawGreeting, requestPane } from './details.js';
import { shortcuts } from './keys.js';
import { chatList, chatName, fits, requestList } from './list.js';
import { confirmDialog, inviteDialog, newChatDialog, openDialog, watchInvites } from './people.js';
import { switcher } from './switcher.js';

/** @typedef {import('../types.js').Context} Context */

/** Which chat was open, so that coming back from the settings finds it again. */
let remembered = '';

/** Forgets the open chat; on lock and sign-out. */
export function forgetChat() {
  remembered = '';
}

/** @param {Context} context @returns {import('../types.js').View} */
export function chatView(context) {
  const { state, send } = context;
  const app = clone('view-chat');
  const subscriptions = new Subscriptions();
  const talk = slot(app, 'talk');
  const empty = slot(app, 'empty');
  const details = slot(app, 'details');
  const filter = /** @type {HTMLInputElement} */ (slot(app, 'filter'));
  const phone = matchMedia('(max-width: 699.98px)');
  const overlaid = matchMedia('(max-width: 1080px)');
  /** @type {{kind: 'chat' | 'request', id: string} | null} */
  let current = null;
  /** @type {{node: HTMLElement, focus?: () => void, stop: () => void} | null} */
  let pane = null;
  /** @type {{node: HTMLElement, stop: () => void} | null} */
  let side = null;
  /** @type {Map<string, number>} */
  let unread = new Map(state.chats.map((chat) => [chat.chat, chat.unread]));
  /** Whose answer is awaited. @type {Set<string>} */
  let requested = new Set();
  let pending = '';
  let marked = router.spot();
  /** What going back would close: the open chat where only one pane fits, and the details over it. */
  const backTo = { list: () => {}, talk: () => {} };
  /** What was decided about the open chat or request, for when it is gone. */
  let decided = '';
  const rows = chatList(slot(app, 'chats'), openChat);
  const asked = requestList(slot(app, 'requests'), openRequest);

  function drawList() {
    const chats = state.chats.filter((chat) => fits(chat, filter.value));
    rows(chats, current?.kind === 'chat' ? current.id : '');
    slot(app, 'none').hidden = chats.length > 0 || filter.value === '';
    const requests = state.requests;
    slot(app, 'requests-section').hidden = requests.length === 0;
    slot(app, 'requests-count').textContent = String(requests.length);
    asked(requests, current?.kind === 'request' ? current.id : '');
    const nobody = state.chats.length === 0 && requests.length === 0;
    app.toggleAttribute('data-empty', nobody);
    slot(app, 'empty-title').textContent = nobody ? 'Start a conversation' : 'Choose a chat';
    badge(state.chats.reduce((sum, chat) => sum + (chat.muted ? 0 : chat.unread), 0) + requests.length);
  }

  function drawMe() {
    const { me } = state.state;
    if (me) {
      slot(app, 'me-avatar').replaceChildren(avatar(me.user_id, me.alias || me.handle, 'sm'));
      slot(app, 'me-name').textContent = me.alias || me.handle;
    }
    const status = slot(app, 'status');
    status.dataset.online = String(state.connection.online);
    status.textContent = state.connection.online
      ? 'Online'
      : state.connection.barred
        ? 'Messages are blocked on the way'
        : state.connection.retry_at_ms
          ? 'No connection, trying again'
          : 'Connecting…';
    const skew = state.server?.clock_skew_secs ?? 0;
    slot(app, 'banner').replaceChildren(
      ...(Math.abs(skew) > 3600
        ? [
            h(
              'div',
              { class: 'notice notice--warn', 'data-testid': 'clock-warning' },
              icon('clock'),
              h(
                'span',
                {},
                `This device’s clock is ${Math.round(Math.abs(skew) / 3600)} h ${skew > 0 ? 'ahead of' : 'behind'} the server’s. Set it right, so that timers are what they say.`,
              ),
            ),
          ]
        : []),
    );
  }

  /** @param {{kind: 'chat' | 'request', id: string} | null} next @param {{node: HTMLElement, focus?: () => void, stop: () => void} | null} made */
  function show(next, made) {
    closePopover();
    pane?.stop();
    pane = made;
    current = next;
    remembered = next?.kind === 'chat' ? next.id : '';
    talk.hidden = made === null;
    empty.hidden = made !== null;
    talk.replaceChildren(...(made ? [made.node] : []));
    app.dataset.pane = made ? 'talk' : 'list';
    closeDetails();
    backTo.list();
    backTo.list = made && phone.matches ? layer(back) : () => {};
    router.note(next?.kind === 'chat' ? (state.chat(next.id)?.spot ?? '') : '');
    drawList();
  }

  /** @param {string} id */
  function openChat(id) {
    if (current?.kind === 'chat' && current.id === id) {
      pane?.focus?.();
      return;
    }
    if (!state.chat(id)) return;
    show(
      { kind: 'chat', id },
      conversation(context, id, { back, details: () => (side ? closeDetails() : openDetails(id)) }),
    );
    if (!phone.matches) pane?.focus?.();
    else /** @type {HTMLElement | null} */ (talk.querySelector('[data-action="back"]'))?.focus();
  }

  /** @param {string} id */
  function openRequest(id) {
    const request = state.requests.find((known) => known.chat === id);
    if (!request) return;
    const node = requestPane(context, request, {
      back,
      accepted: () => {
        pending = id;
      },
      decided: (what) => {
        decided = what;
      },
    });
    show({ kind: 'request', id }, { node, stop: () => {} });
    /** @type {HTMLElement | null} */ (talk.querySelector('[data-action="accept"]'))?.focus({ preventScroll: true });
  }

  /** To the list, where the row of what was open is found again. */
  function back() {
    const row = app.querySelector('.chat-row[aria-current="true"]');
    show(null, null);
    if (row instanceof HTMLElement && row.isConnected) row.focus();
  }

  /** @param {string} id */
  function openDetails(id) {
    side = detailsPane(context, id, {
      close: closeDetails,
      decided: (what) => {
        decided = what;
      },
    });
    details.replaceChildren(side.node);
    details.hidden = false;
    app.setAttribute('data-details', '');
    backTo.talk = overlaid.matches ? layer(closeDetails) : () => {};
    for (const button of talk.querySelectorAll('[data-action="details"][aria-expanded]'))
      button.setAttribute('aria-expanded', 'true');
    /** @type {HTMLElement} */ (details.querySelector('[data-action="close-details"]')).focus();
  }

  function closeDetails() {
    if (!side) return;
    const had = details.contains(document.activeElement);
    side.stop();
    side = null;
    backTo.talk();
    details.hidden = true;
    details.replaceChildren();
    app.removeAttribute('data-details');
    for (const button of talk.querySelectorAll('[data-action="details"][aria-expanded]'))
      button.setAttribute('aria-expanded', 'false');
    if (had) /** @type {HTMLElement | null} */ (talk.querySelector('[data-testid="open-details"]'))?.focus();
  }

  /** @param {number} by @param {boolean} onlyUnread */
  function step(by, onlyUnread) {
    const chats = state.chats.filter((chat) => !onlyUnread || chat.unread > 0 || chat.chat === current?.id);
    if (chats.length === 0) return;
    const at = chats.findIndex((chat) => chat.chat === current?.id);
    const next = at < 0 ? chats[by > 0 ? 0 : chats.length - 1] : chats[(at + by + chats.length) % chats.length];
    openChat(next.chat);
  }

  const newChat = () => newChatDialog(context, openChat);
  actions(app, {
    menu: (target) => popover(target, menu(context)),
    lock: () => send({ c: 'lock' }),
    'new-chat': newChat,
    find: newChat,
    invite: () => inviteDialog(context),
  });
  filter.addEventListener('input', drawList);
  filter.addEventListener('keydown', (event) => {
    if (composing(event)) return;
    if (event.key === 'Enter') /** @type {HTMLElement | null} */ (slot(app, 'chats').querySelector('button'))?.click();
    else if (event.key === 'Escape' && filter.value !== '') {
      event.preventDefault();
      filter.value = '';
      drawList();
    }
  });
  const refresh = setInterval(drawList, 30_000);

  subscriptions.add(
    shortcuts({
      switcher: () => switcher(context, openChat),
      shortcuts: () => {
        if (!document.querySelector('dialog[open]')) showShortcuts();
      },
      step,
      escape: () => {
        if (side) closeDetails();
        else if (document.activeElement instanceof HTMLElement && current) pane?.focus?.();
      },
    }),
    () => clearInterval(refresh),
    watchInvites(context, openChat),
    state.on('state', drawMe),
    state.on('server', drawMe),
    state.on('connection', drawMe),
    state.on('draft', drawList),
    state.on('requests', () => {
      drawList();
      if (current?.kind !== 'request') return;
      const request = state.requests.find((known) => known.chat === current?.id);
      if (request) drawGreeting(talk, request);
      else if (pending === '') leave();
    }),
    state.on('chats', () => {
      for (const chat of state.chats) {
        if (chat.unread > (unread.get(chat.chat) ?? 0) && chat.chat !== current?.id && !chat.muted)
          announce(`New message from ${chatName(chat)}`);
      }
      unread = new Map(state.chats.map((chat) => [chat.chat, chat.unread]));
      noteAnswers();
      drawList();
      openMarked();
      if (pending !== '' && state.chat(pending)) {
        const id = pending;
        pending = '';
        openChat(id);
      } else if (current?.kind === 'chat' && !state.chat(current.id)) leave();
    }),
  );

  /** Says who has answered a request. */
  function noteAnswers() {
    for (const chat of state.chats) {
      if (chat.relation === 'contact' && requested.has(chat.chat))
        toast(`${chatName(chat)} has answered. You are connected.`);
    }
    requested = new Set(state.chats.filter((chat) => chat.relation === 'requested').map((chat) => chat.chat));
  }

  /** The open pane is about somebody who is no longer there. */
  function leave() {
    show(null, null);
    // Not the filter: on a phone that would bring the keyboard up.
    /** @type {HTMLElement} */ (
      app.querySelector('.side__scroll .chat-row') ?? app.querySelector('[data-action="menu"]')
    ).focus({ preventScroll: true });
    if (decided !== '') toast(decided);
    decided = '';
  }

  /** After a reload: the chat that the address names. */
  function openMarked() {
    const chat = marked === '' ? undefined : state.chats.find((known) => known.spot === marked);
    if (!chat) return;
    marked = '';
    if (!current) openChat(chat.chat);
  }

  drawMe();
  noteAnswers();
  drawList();
  if (remembered !== '' && state.chat(remembered)) openChat(remembered);
  else openMarked();
  return {
    node: app,
    focus: () => {
      if (pane?.focus) pane.focus();
      else if (!phone.matches) input(app, '#chat-filter').focus({ preventScroll: true });
    },
    stop: () => {
      closePopover();
      const open = remembered;
      pane?.stop();
      side?.stop();
      backTo.talk();
      backTo.list();
      subscriptions.stop();
      remembered = open;
    },
  };
}

function showShortcuts() {
  const dialog = openDialog('view-shortcuts');
  if (/Mac|iPhone|iPad/.test(navigator.userAgent))
    for (const key of dialog.querySelectorAll('[data-mod]')) key.textContent = '⌘';
}

/** @param {Context} context */
function menu({ state, send }) {
  const node = clone('view-menu');
  slot(node, 'admin').hidden = state.state.me?.role !== 'admin';
  actions(node, {
    'menu-shortcuts': showShortcuts,
    'menu-lock': () => send({ c: 'lock' }),
    'menu-sign-out': () =>
      confirmDialog(
        {
          title: 'Sign out?',
          text: 'Keys and messages are wiped from this browser. What you have read here is gone for good; what is unread still waits.',
          yes: 'Sign out',
        },
        () => send({ c: 'sign_out' }),
      ),
  });
  return node;
}
