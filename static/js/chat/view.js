/** The chats: list, conversation and details, side by side or one at a time. */
import { avatar, clone, h, icon, slot } from '../lib/dom.js';
import { Dialog, confirmDialog } from '../lib/dialog.js';
import { connectionText } from '../lib/format.js';
import { layer } from '../lib/layers.js';
import { View } from '../lib/part.js';
import { closePopover, popover } from '../lib/popover.js';
import * as router from '../lib/router.js';
import { announce, badge, toast } from '../lib/say.js';
import { composing } from '../lib/text.js';
import { Conversation } from './conversation.js';
import { Details, RequestPane, drawGreeting } from './details.js';
import { chatList, chatName, fits, requestList } from './list.js';
import { InviteLink, NewChat, watchInvites } from './people.js';
import { Switcher, shortcuts } from './switcher.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {{kind: 'chat' | 'request', id: string}} Open
 */

/** How often the times in the list are drawn again, milliseconds. */
const REFRESH = 30_000;

export class ChatView extends View {
  /** Which chat was open, so that coming back from the settings finds it again. */
  static #remembered = '';

  /** Forgets the open chat; on lock and sign-out. */
  static forget() {
    ChatView.#remembered = '';
  }

  #phone = matchMedia('(max-width: 699.98px)');
  #overlaid = matchMedia('(max-width: 1080px)');
  /** @type {Open | null} */
  #current = null;
  /** @type {View | null} */
  #pane = null;
  /** @type {View | null} */
  #side = null;
  /** @type {Map<string, number>} */
  #unread;
  /** Whose answer is awaited. @type {Set<string>} */
  #requested = new Set();
  /** Whose request was accepted and whose chat is not there yet. */
  #pending = '';
  /** The chat that the address names, until it was opened. */
  #marked = router.spot();
  /** What going back would close: the open chat where only one pane fits, and the details over it. */
  #backTo = { list: () => {}, talk: () => {} };
  /** What was decided about the open chat or request, for when it is gone. */
  #decided = '';
  #talk;
  #details;
  #filter;
  #rows;
  #asked;

  /** @param {Context} context */
  constructor(context) {
    super(context, clone('view-chat'));
    this.#talk = this.#part('talk');
    this.#details = this.#part('details');
    this.#filter = /** @type {HTMLInputElement} */ (this.#part('filter'));
    this.#unread = new Map(this.state.chats.map((chat) => [chat.chat, chat.unread]));
    this.#rows = chatList(this.#part('chats'), (chat) => context.drafts.of(chat));
    this.#asked = requestList(this.#part('requests'));
    this.#act();
    this.#hear();
    this.#drawMe();
    this.#noteAnswers();
    this.#drawList();
    if (this.state.chat(ChatView.#remembered)) this.#openChat(ChatView.#remembered);
    else this.#openMarked();
  }

  /** @override */
  focus() {
    if (this.#pane) this.#pane.focus();
    else if (!this.#phone.matches) this.#filter.focus({ preventScroll: true });
  }

  /** @override */
  stop() {
    if (this.ended) return;
    closePopover();
    super.stop();
    this.#backTo.talk();
    this.#backTo.list();
  }

  /** @param {string} name */
  #part(name) {
    return slot(this.node, name);
  }

  #act() {
    const newChat = () => new NewChat(this.context, (id) => this.#openChat(id));
    this.actions(this.node, {
      menu: (target) => popover(target, 'below', (menu) => mainMenu(this, menu)),
      lock: () => this.send({ c: 'lock' }),
      'new-chat': newChat,
      find: newChat,
      invite: () => new InviteLink(this.context),
      'open-chat': ({ dataset }) => this.#openChat(dataset.chat ?? ''),
      'open-request': ({ dataset }) => this.#openRequest(dataset.request ?? ''),
    });
    this.listen(this.#filter, 'input', () => this.#drawList());
    this.listen(this.#filter, 'keydown', (event) => this.#filterKey(event));
    this.every(REFRESH, () => this.#drawList());
    shortcuts(this, {
      switcher: () => {
        if (!document.querySelector('dialog[open]')) new Switcher(this.context, (id) => this.#openChat(id));
      },
      shortcuts: () => {
        if (!document.querySelector('dialog[open]')) showShortcuts();
      },
      step: (by, onlyUnread) => this.#step(by, onlyUnread),
      escape: () => {
        if (this.#side) this.#closeDetails();
        else if (document.activeElement instanceof HTMLElement && this.#current) this.#pane?.focus();
      },
    });
  }

  #hear() {
    watchInvites(this, this.context, (id) => this.#openChat(id));
    for (const kind of ['state', 'server', 'connection']) this.on(kind, () => this.#drawMe());
    this.on('draft', () => this.#drawList());
    this.on('requests', () => {
      this.#drawList();
      if (this.#current?.kind !== 'request') return;
      const { id } = this.#current;
      const request = this.state.requests.find((known) => known.chat === id);
      if (request) drawGreeting(this.#talk, request);
      else if (this.#pending === '') this.#leave();
    });
    this.on('chats', () => {
      this.#announceNew();
      this.#noteAnswers();
      this.#drawList();
      this.#openMarked();
      const pending = this.#pending;
      if (pending !== '' && this.state.chat(pending)) {
        this.#pending = '';
        this.#openChat(pending);
      } else if (this.#current?.kind === 'chat' && !this.state.chat(this.#current.id)) this.#leave();
    });
  }

  #announceNew() {
    for (const chat of this.state.chats) {
      const more = chat.unread > (this.#unread.get(chat.chat) ?? 0);
      if (more && chat.chat !== this.#current?.id && !chat.muted) announce(`New message from ${chatName(chat)}`);
    }
    this.#unread = new Map(this.state.chats.map((chat) => [chat.chat, chat.unread]));
  }

  #drawList() {
    const { chats, requests } = this.state;
    const shown = chats.filter((chat) => fits(chat, this.#filter.value));
    const openOf = (/** @type {Open['kind']} */ kind) => (this.#current?.kind === kind ? this.#current.id : '');
    this.#rows(shown, openOf('chat'));
    this.#part('none').hidden = shown.length > 0 || this.#filter.value === '';
    this.#part('requests-section').hidden = requests.length === 0;
    this.#part('requests-count').textContent = String(requests.length);
    this.#asked(requests, openOf('request'));
    const nobody = chats.length === 0 && requests.length === 0;
    this.node.toggleAttribute('data-empty', nobody);
    this.#part('empty-title').textContent = nobody ? 'Start a conversation' : 'Choose a chat';
    badge(chats.reduce((sum, chat) => sum + (chat.muted ? 0 : chat.unread), 0) + requests.length);
  }

  #drawMe() {
    const { me } = this.state.state;
    if (me) {
      this.#part('me-avatar').replaceChildren(avatar(me.user_id, me.alias || me.handle, 'sm'));
      this.#part('me-name').textContent = me.alias || me.handle;
    }
    const { connection } = this.state;
    const status = this.#part('status');
    status.dataset.online = String(connection.online);
    status.textContent = connectionText(connection);
    const skew = this.state.server?.clock_skew_secs ?? 0;
    this.#part('banner').replaceChildren(...(Math.abs(skew) > 3600 ? [skewNotice(skew)] : []));
  }

  /** @param {KeyboardEvent} event */
  #filterKey(event) {
    if (composing(event)) return;
    if (event.key === 'Enter') this.#part('chats').querySelector('button')?.click();
    else if (event.key === 'Escape' && this.#filter.value !== '') {
      event.preventDefault();
      this.#filter.value = '';
      this.#drawList();
    }
  }

  /** @param {Open | null} next @param {(() => View) | null} make */
  #show(next, make) {
    closePopover();
    this.#pane?.stop();
    const made = make ? make() : null;
    this.#pane = made;
    this.#current = next;
    ChatView.#remembered = next?.kind === 'chat' ? next.id : '';
    this.#talk.hidden = made === null;
    this.#part('empty').hidden = made !== null;
    this.#talk.replaceChildren(...(made ? [made.node] : []));
    this.node.dataset.pane = made ? 'talk' : 'list';
    this.#closeDetails();
    this.#backTo.list();
    this.#backTo.list = made && this.#phone.matches ? layer(() => this.#back()) : () => {};
    router.note(next?.kind === 'chat' ? (this.state.chat(next.id)?.spot ?? '') : '');
    this.#drawList();
  }

  /** @param {string} id */
  #openChat(id) {
    if (this.#current?.kind === 'chat' && this.#current.id === id) {
      this.#pane?.focus();
      return;
    }
    if (!this.state.chat(id)) return;
    const then = {
      back: () => this.#back(),
      details: () => (this.#side ? this.#closeDetails() : this.#openDetails(id)),
    };
    this.#show({ kind: 'chat', id }, () => new Conversation(this.context, id, then, this));
    if (!this.#phone.matches) this.#pane?.focus();
    else /** @type {HTMLElement | null} */ (this.#talk.querySelector('[data-action="back"]'))?.focus();
  }

  /** @param {string} id */
  #openRequest(id) {
    const request = this.state.requests.find((known) => known.chat === id);
    if (!request) return;
    const then = {
      back: () => this.#back(),
      accepted: () => {
        this.#pending = id;
      },
      decided: (/** @type {string} */ what) => {
        this.#decided = what;
      },
    };
    this.#show({ kind: 'request', id }, () => new RequestPane(this.context, request, then, this));
    this.#pane?.focus();
  }

  /** To the list, where the row of what was open is found again. */
  #back() {
    const row = this.node.querySelector('.chat-row[aria-current="true"]');
    this.#show(null, null);
    if (row instanceof HTMLElement && row.isConnected) row.focus();
  }

  /** @param {string} id */
  #openDetails(id) {
    const then = {
      close: () => this.#closeDetails(),
      decided: (/** @type {string} */ what) => {
        this.#decided = what;
      },
    };
    this.#side = new Details(this.context, id, then, this);
    this.#details.replaceChildren(this.#side.node);
    this.#details.hidden = false;
    this.node.setAttribute('data-details', '');
    this.#backTo.talk = this.#overlaid.matches ? layer(() => this.#closeDetails()) : () => {};
    this.#expanded(true);
    /** @type {HTMLElement} */ (this.#details.querySelector('[data-action="close-details"]')).focus();
  }

  #closeDetails() {
    if (!this.#side) return;
    const had = this.#details.contains(document.activeElement);
    this.#side.stop();
    this.#side = null;
    this.#backTo.talk();
    this.#details.hidden = true;
    this.#details.replaceChildren();
    this.node.removeAttribute('data-details');
    this.#expanded(false);
    if (had) /** @type {HTMLElement | null} */ (this.#talk.querySelector('[data-testid="open-details"]'))?.focus();
  }

  /** @param {boolean} open */
  #expanded(open) {
    const buttons = this.#talk.querySelectorAll('[data-action="details"][aria-expanded]');
    for (const button of buttons) button.setAttribute('aria-expanded', String(open));
  }

  /** @param {number} by @param {boolean} onlyUnread */
  #step(by, onlyUnread) {
    const { id } = this.#current ?? {};
    const chats = this.state.chats.filter((chat) => !onlyUnread || chat.unread > 0 || chat.chat === id);
    if (chats.length === 0) return;
    const at = chats.findIndex((chat) => chat.chat === id);
    const first = by > 0 ? 0 : chats.length - 1;
    this.#openChat(chats[at < 0 ? first : (at + by + chats.length) % chats.length].chat);
  }

  /** Says who has answered a request. */
  #noteAnswers() {
    const { chats } = this.state;
    for (const chat of chats) {
      const answered = chat.relation === 'contact' && this.#requested.has(chat.chat);
      if (answered) toast(`${chatName(chat)} has answered. You are connected.`);
    }
    this.#requested = new Set(chats.filter((chat) => chat.relation === 'requested').map((chat) => chat.chat));
  }

  /** The open pane is about somebody who is no longer there. */
  #leave() {
    this.#show(null, null);
    // Not the filter: on a phone that would bring the keyboard up.
    const row = this.node.querySelector('.side__scroll .chat-row') ?? this.node.querySelector('[data-action="menu"]');
    /** @type {HTMLElement} */ (row).focus({ preventScroll: true });
    if (this.#decided !== '') toast(this.#decided);
    this.#decided = '';
  }

  /** After a reload: the chat that the address names. */
  #openMarked() {
    const chat = this.#marked === '' ? undefined : this.state.chats.find((known) => known.spot === this.#marked);
    if (!chat) return;
    this.#marked = '';
    if (!this.#current) this.#openChat(chat.chat);
  }
}

/** @param {number} skew seconds */
function skewNotice(skew) {
  const hours = Math.round(Math.abs(skew) / 3600);
  const text = `This device’s clock is ${hours} h ${skew > 0 ? 'ahead of' : 'behind'} the server’s. Set it right, so that timers are what they say.`;
  return h('div', { class: 'notice notice--warn', 'data-testid': 'clock-warning' }, icon('clock'), h('span', {}, text));
}

function showShortcuts() {
  const { node } = new Dialog('view-shortcuts');
  if (!/Mac|iPhone|iPad/.test(navigator.userAgent)) return;
  for (const key of node.querySelectorAll('[data-mod]')) key.textContent = '⌘';
}

/** @param {View} view @param {import('../lib/part.js').Part} menu */
function mainMenu(view, menu) {
  const node = clone('view-menu');
  slot(node, 'admin').hidden = !['admin', 'auditor'].includes(view.state.state.me?.role ?? '');
  menu.actions(node, {
    'menu-shortcuts': showShortcuts,
    'menu-lock': () => view.send({ c: 'lock' }),
    'menu-sign-out': () => askToSignOut(view.context),
  });
  return node;
}

/** @param {Context} context */
export function askToSignOut({ send }) {
  confirmDialog(
    {
      title: 'Sign out?',
      text: 'Keys and messages are wiped from this browser. What you have read here is gone for good; what is unread still waits.',
      yes: 'Sign out',
    },
    () => send({ c: 'sign_out' }),
  );
}
