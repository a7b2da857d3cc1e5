/** The messages of one chat: grouped, dated, marked as read when they were on the screen. */
import { actions, arrange, avatar, cloneAll, h, icon, slot } from '../lib/dom.js';
import { dayName } from '../lib/format.js';
import { popover } from '../lib/popover.js';
import { copy } from '../lib/say.js';
import { Subscriptions } from '../lib/state.js';
import { composer } from './composer.js';
import { description, drawMessage, tickBurns } from './message.js';

/**
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('../types.js').Context} Context
 */

/** Messages of one person within this time make one group. */
const GROUP_MS = 5 * 60_000;

/**
 * @param {Context} context
 * @param {string} id the chat
 * @param {{back: () => void, details: () => void}} then
 */
export function conversation(context, id, then) {
  const { state, send } = context;
  const root = h('div', { class: 'talk' });
  root.append(cloneAll('view-conversation'));
  const scroll = slot(root, 'scroll');
  const list = slot(root, 'messages');
  const times = slot(root, 'times');
  const typing = slot(root, 'typing');
  const toNew = /** @type {HTMLElement} */ (root.querySelector('[data-action="to-new"]'));
  const subscriptions = new Subscriptions();
  /** @type {Map<string, Message>} */
  const messages = new Map();
  /** @type {Map<string, {item: HTMLLIElement, drawn: string, about: HTMLElement}>} */
  const items = new Map();
  /** @type {Map<string, HTMLElement>} */
  const days = new Map();
  /** @type {Set<string>} */
  const onScreen = new Set();
  const told = new Set();
  const revealed = new Set();
  /** @type {Map<string, number>} */
  const burning = new Map();
  const divider = h('li', { class: 'unread-line', 'data-testid': 'unread-line' }, 'Unread');
  /** The first message that was unread when the chat was opened; stays for the visit. */
  let firstUnread = '';
  let loaded = false;
  let below = 0;
  let typingUntil = 0;
  let focusLost = false;

  const chat = () => state.chat(id);
  const name = () => chat()?.alias || chat()?.handle || '';
  const ordered = () => [...messages.values()].sort((a, b) => a.seen_ms - b.seen_ms);
  const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };

  const writer = composer(context, id, slot(root, 'composer'), {
    lastOwn: () => ordered().reverse().find((message) => message.mine && message.text !== null && !['failed', 'vanished', 'expired'].includes(message.state)),
    sent: () => requestAnimationFrame(toEnd),
  });

  /** What is on the screen of a focused tab counts as read. */
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const message = /** @type {HTMLElement} */ (entry.target).dataset.id ?? '';
      const seen = entry.intersectionRatio >= 0.6 || entry.intersectionRect.height >= (entry.rootBounds?.height ?? Infinity) * 0.5;
      if (seen) onScreen.add(message);
      else onScreen.delete(message);
    }
    markShown();
  }, { root: scroll, threshold: [0, 0.25, 0.6, 0.9] });

  function markShown() {
    if (document.visibilityState !== 'visible' || !document.hasFocus()) return;
    const shown = [];
    for (const message of onScreen) {
      const found = messages.get(message);
      if (!found || found.mine || found.state !== 'unread') continue;
      if (found.sealed && found.text === null) {
        if (typeof found.burn === 'object' && !revealed.has(message)) {
          revealed.add(message);
          send({ c: 'reveal', chat: id, message });
        }
      } else if (!told.has(message)) {
        told.add(message);
        shown.push(message);
      }
    }
    if (shown.length > 0) send({ c: 'shown', chat: id, messages: shown });
  }

  /** @param {string} day @param {number} ms */
  function dayItem(day, ms) {
    const item = days.get(day) ?? h('li', { class: 'day' });
    item.textContent = dayName(ms);
    days.set(day, item);
    return item;
  }

  function draw() {
    const sorted = ordered();
    const wanted = [];
    let day = '';
    for (const [index, message] of sorted.entries()) {
      const before = sorted[index - 1];
      const after = sorted[index + 1];
      const thisDay = new Date(message.seen_ms).toDateString();
      if (thisDay !== day) wanted.push(dayItem(thisDay, message.seen_ms));
      if (message.id === firstUnread) wanted.push(divider);
      const first = !joined(before, message) || thisDay !== day || message.id === firstUnread;
      const last = !joined(message, after) || after?.id === firstUnread;
      day = thisDay;
      // A run of own messages in the same state says it once, under its last.
      const lastInRun = !(after?.mine && after.state === message.state && after.by_server === message.by_server);
      wanted.push(item(message, first, last, lastInRun));
    }
    arrange(list, wanted);
    for (const [key, { item: old, about }] of items) {
      if (messages.has(key)) continue;
      observer.unobserve(old);
      about.remove();
      items.delete(key);
      onScreen.delete(key);
    }
    if (tickBurns(list, burning)) burn();
  }

  /** @param {Message} message @param {boolean} first @param {boolean} last @param {boolean} lastInRun */
  function item(message, first, last, lastInRun) {
    let entry = items.get(message.id);
    const drawn = JSON.stringify([message, first, last, lastInRun]);
    if (!entry) {
      entry = { item: h('li', {}), drawn: '', about: h('span', { id: `about-${message.id}` }) };
      items.set(message.id, entry);
      times.append(entry.about);
      entry.item.dataset.id = message.id;
      observer.observe(entry.item);
    }
    if (entry.drawn !== drawn) {
      const fresh = entry.drawn === '' && loaded;
      drawMessage(entry.item, message, { name: name(), first, last, lastInRun });
      if (fresh) entry.item.classList.add('msg--new');
      entry.about.textContent = description(message);
      entry.drawn = drawn;
    }
    return entry.item;
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let burnTimer;
  function burn() {
    clearTimeout(burnTimer);
    burnTimer = setTimeout(() => { if (tickBurns(list, burning)) burn(); }, 250);
  }

  function header() {
    const row = chat();
    if (!row) return;
    slot(root, 'avatar').replaceChildren(avatar(id, name(), 'sm'));
    slot(root, 'name').textContent = name();
    slot(root, 'heading').textContent = `Conversation with ${name()}`;
    slot(root, 'verified').replaceChildren(...(row.verified ? [icon('verified', 'icon--sm'), h('span', { class: 'visually-hidden', 'data-testid': 'verified-mark' }, 'Verified')] : []));
    const asked = row.relation === 'requested';
    slot(root, 'sub').textContent = typingUntil > Date.now() ? 'typing…' : asked ? 'Has not answered yet' : row.verified ? 'Verified' : 'Not verified: compare the safety number';
    slot(root, 'notices').replaceChildren(...(row.key_changed ? [h('div', { class: 'notice notice--warn', role: 'alert', 'data-testid': 'key-changed' }, icon('alert'),
      h('span', { class: 'grow' }, `${name()} has new keys. That happens with a new identity, or when somebody sits in between. Compare the safety number before you write.`),
      h('button', { class: 'button button--quiet button--small', type: 'button', 'data-action': 'details' }, 'Compare'),
      h('button', { class: 'button button--quiet button--small', type: 'button', 'data-action': 'accept-key', 'data-testid': 'accept-key' }, 'Write anyway'))] : []));
    writer.update();
  }

  function showTyping() {
    const now = typingUntil > Date.now();
    const changed = typing.hidden === now;
    const end = atEnd();
    typing.hidden = !now;
    slot(root, 'typing-text').textContent = now ? `${name()} is typing` : '';
    if (changed) {
      header();
      if (now && end) toEnd();
    }
    if (now) setTimeout(showTyping, typingUntil - Date.now() + 20);
  }

  function countBelow() {
    if (atEnd()) below = 0;
    toNew.hidden = below === 0;
    toNew.replaceChildren(icon('down', 'icon--sm'), `${below} new`);
  }

  /** On leaving, whatever burns on reading and was read burns. */
  function burnShown() {
    const shown = [...messages.values()].filter((message) => !message.mine && message.burn === 'on_read' && message.text !== null).map((message) => message.id);
    if (shown.length > 0) send({ c: 'hide', chat: id, messages: shown });
  }

  /** @param {HTMLElement} target */
  const messageOf = (target) => /** @type {HTMLElement} */ (target.closest('[data-id]')).dataset.id ?? '';
  actions(root, {
    back: then.back,
    details: then.details,
    'to-new': () => { toEnd(); writer.focus(); },
    'accept-key': () => send({ c: 'accept_changed_key', chat: id }),
    reveal: (target) => { revealed.add(messageOf(target)); send({ c: 'reveal', chat: id, message: messageOf(target) }); scroll.focus({ preventScroll: true }); },
    hide: (target) => { send({ c: 'hide', chat: id, messages: [messageOf(target)] }); scroll.focus({ preventScroll: true }); },
    again: (target) => send({ c: 'send_again', chat: id, message: messageOf(target) }),
    tools: (target) => tools(target, /** @type {Message} */ (messages.get(messageOf(target)))),
  });

  /** @param {HTMLElement} anchor @param {Message} message */
  function tools(anchor, message) {
    const entry = (/** @type {string} */ mark, /** @type {string} */ text, /** @type {string} */ testid, /** @type {() => void} */ run, danger = false) =>
      h('button', { class: danger ? 'menu__item menu__item--danger' : 'menu__item', type: 'button', role: 'menuitem', 'data-testid': testid, onclick: run }, icon(mark), text);
    const remove = (/** @type {boolean} */ everywhere) => () => send({ c: 'delete', chat: id, message: message.id, everywhere });
    const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': 'Message' });
    if (message.text !== null) menu.append(entry('copy', 'Copy the text', 'copy-message', () => { void copy(message.text ?? '', 'Text'); }));
    if (message.mine && message.text !== null && message.state !== 'failed') menu.append(entry('edit', 'Edit', 'edit-message', () => writer.edit(message)));
    menu.append(entry('trash', 'Delete here', 'delete-here', remove(false), true));
    if (message.mine) menu.append(entry('trash', 'Delete for both', 'delete-everywhere', remove(true), true));
    popover(anchor, menu);
  }

  const attention = () => { focusLost = !document.hasFocus(); markShown(); };
  addEventListener('focus', attention);
  addEventListener('blur', attention);
  document.addEventListener('visibilitychange', attention);
  scroll.addEventListener('scroll', countBelow, { passive: true });
  // A growing composer or a keyboard on a phone must not move the last line out of sight.
  let end = true;
  scroll.addEventListener('scroll', () => { end = atEnd(); }, { passive: true });
  const resizing = new ResizeObserver(() => { if (end) toEnd(); });
  resizing.observe(scroll);

  subscriptions.add(
    () => removeEventListener('focus', attention),
    () => removeEventListener('blur', attention),
    () => document.removeEventListener('visibilitychange', attention),
    () => { observer.disconnect(); resizing.disconnect(); clearTimeout(burnTimer); },
    state.on('chats', header),
    state.on('settings', header),
    state.on('conversation', (event) => {
      if (event.chat !== id) return;
      messages.clear();
      for (const message of event.messages) messages.set(message.id, message);
      if (!loaded) firstUnread = ordered().find((message) => !message.mine && message.state === 'unread')?.id ?? '';
      draw();
      if (!loaded) {
        if (firstUnread) divider.scrollIntoView({ block: 'center' });
        else toEnd();
        end = atEnd();
      }
      loaded = true;
    }),
    state.on('message', (event) => {
      if (event.chat !== id || !loaded) return;
      const fresh = !messages.has(event.message.id);
      const stick = atEnd() || (fresh && event.message.mine);
      messages.set(event.message.id, event.message);
      if (fresh && !event.message.mine) {
        if (focusLost && firstUnread === '') firstUnread = event.message.id;
        if (!stick) below += 1;
      }
      draw();
      if (stick) toEnd();
      countBelow();
      markShown();
    }),
    state.on('message_removed', (event) => {
      if (event.chat !== id) return;
      messages.delete(event.message);
      draw();
    }),
    state.on('typing', (event) => {
      if (event.chat !== id) return;
      typingUntil = event.until_ms;
      showTyping();
    }),
  );
  header();
  send({ c: 'open_chat', chat: id });

  return {
    node: root,
    focus: () => writer.focus(),
    stop: () => { burnShown(); writer.stop(); subscriptions.stop(); },
  };
}

/**
 * Whether two messages belong to one group.
 * @param {Message | undefined} a
 * @param {Message | undefined} b
 */
function joined(a, b) {
  return a !== undefined && b !== undefined && a.mine === b.mine && b.seen_ms - a.seen_ms < GROUP_MS;
}
