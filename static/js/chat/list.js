/** The rows of the chat list, also used by the switcher. */
import { arrange, avatar, h, icon } from '../lib/dom.js';
import { rowTime } from '../lib/format.js';
import { draftOf } from './composer.js';

/**
 * @typedef {import('../types.js').Chat} Chat
 * @typedef {import('../types.js').Request} Request
 */

/** @param {Chat} chat */
export const chatName = (chat) => chat.alias || chat.handle;

/**
 * Whether a chat fits what was typed.
 * @param {Chat} chat
 * @param {string} text
 */
export function fits(chat, text) {
  const wanted = text.trim().toLocaleLowerCase().replace(/^@/, '');
  return chatName(chat).toLocaleLowerCase().includes(wanted) || chat.handle.includes(wanted);
}

/** What a row says when nothing is left to read of the newest message. @type {Record<string, string>} */
const LEFT = { burned: 'Burned', expired: 'Expired unread', deleted: 'Taken back', gone: 'Read elsewhere, or no longer there', delivered: 'Delivered' };

/** @param {Chat} chat */
function preview(chat) {
  const draft = draftOf(chat.chat);
  // A long text costs a row nothing: no more of it is drawn than could be seen.
  const line = (/** @type {string} */ text) => h('bdi', {}, text.slice(0, 200).toWellFormed().replace(/\s+/g, ' '));
  if (draft) return [h('em', {}, 'Draft: '), line(draft)];
  if (chat.preview !== null) return [chat.preview_mine ? 'You: ' : '', line(chat.preview)];
  if (chat.relation === 'requested') return ['Has not answered yet'];
  if (chat.unread > 0) return ['New message'];
  return [LEFT[chat.last_state ?? ''] ?? 'No messages in this browser'];
}

/** When the newest of a row was written; nothing where there is none. @param {number} ms */
const rowWhen = (ms) => h('time', { class: 'chat-row__time', datetime: ms > 0 && new Date(ms).toISOString() }, rowTime(ms));

/**
 * What is inside a row.
 * @param {Chat} chat
 */
export function rowParts(chat) {
  const marks = h('span', { class: 'chat-row__marks' });
  if (chat.verified) marks.append(icon('verified', 'icon--xs'), h('span', { class: 'visually-hidden' }, 'Verified'));
  if (chat.burn !== null && chat.burn !== 'never') marks.append(icon('timer', 'icon--xs'), h('span', { class: 'visually-hidden' }, 'With a timer'));
  if (chat.muted) {
    const bell = icon('bell-off', 'icon--xs quiet');
    marks.append(bell, h('span', { class: 'visually-hidden' }, 'Muted'));
  }
  return [
    avatar(chat.chat, chatName(chat)),
    h('span', { class: 'chat-row__body' },
      h('span', { class: 'chat-row__line' }, h('span', { class: 'chat-row__name truncate', dir: 'auto' }, chatName(chat)), marks, rowWhen(chat.last_ms)),
      h('span', { class: 'chat-row__line' }, h('span', { class: 'chat-row__preview truncate' }, ...preview(chat)),
        (chat.key_changed || chat.key_changed_back) && icon('alert', 'icon--sm'),
        chat.unread > 0 && h('span', { class: chat.muted ? 'badge badge--quiet' : 'badge', 'data-testid': 'unread-count' }, chat.unread > 99 ? '99+' : String(chat.unread), h('span', { class: 'visually-hidden' }, ' unread')))),
  ];
}

/**
 * Keeps a list of rows in step with the chats, row by row, so that focus stays where it is.
 * @param {HTMLElement} list
 * @param {(chat: string) => void} open
 */
export function chatList(list, open) {
  /** @type {Map<string, {item: HTMLElement, button: HTMLElement, drawn: string}>} */
  const rows = new Map();
  /** @param {Chat[]} chats @param {string} current */
  return (chats, current) => {
    const wanted = chats.map((chat) => {
      let row = rows.get(chat.chat);
      if (!row) {
        const button = h('button', { class: 'chat-row', type: 'button', 'data-testid': 'chat-row', 'data-chat': chat.chat, 'data-handle': chat.handle, onclick: () => open(chat.chat) });
        row = { button, item: h('li', {}, button), drawn: '' };
        rows.set(chat.chat, row);
      }
      const drawn = JSON.stringify([chat, rowTime(chat.last_ms), draftOf(chat.chat)]);
      if (row.drawn !== drawn) {
        row.button.replaceChildren(...rowParts(chat));
        row.button.dataset.unread = String(chat.unread > 0);
        row.drawn = drawn;
      }
      if (chat.chat === current) row.button.setAttribute('aria-current', 'true');
      else row.button.removeAttribute('aria-current');
      return row.item;
    });
    arrange(list, wanted);
    for (const chat of rows.keys()) if (!chats.some((known) => known.chat === chat)) rows.delete(chat);
  };
}

/**
 * @param {Request} request
 * @param {boolean} current
 * @param {() => void} open
 */
export function requestRow(request, current, open) {
  const name = request.alias || request.handle;
  return h('li', {}, h('button', { class: 'chat-row', type: 'button', 'data-testid': 'request-row', 'data-handle': request.handle, 'data-unread': 'true', 'aria-current': current ? 'true' : null, onclick: open },
    avatar(request.chat, name),
    h('span', { class: 'chat-row__body' },
      h('span', { class: 'chat-row__line' }, h('span', { class: 'chat-row__name truncate', dir: 'auto' }, name), rowWhen(request.received_ms)),
      h('span', { class: 'chat-row__line' }, h('span', { class: 'chat-row__preview truncate', dir: 'auto' }, request.key_changed ? 'Under other keys than before' : request.greeting || (request.by_link ? 'Came by your invite link' : 'Wants to talk to you'))))));
}
