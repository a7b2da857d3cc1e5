/** The rows of the chat list, also used by the switcher. */
import { avatar, h, icon, rowsOf } from '../lib/dom.js';
import { rowTime } from '../lib/format.js';

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

/** What a row says where it shows nothing of the newest message. @type {Record<string, string>} */
const LEFT = {
  burned: 'Burned',
  expired: 'Expired unread',
  deleted: 'Taken back',
  gone: 'Read elsewhere, or no longer there',
  lost: 'A message was lost',
};

/** @param {Chat} chat @param {string} draft */
function preview(chat, draft) {
  // A long text costs a row nothing: no more of it is drawn than could be seen.
  const line = (/** @type {string} */ text) => h('bdi', {}, text.slice(0, 200).toWellFormed().replace(/\s+/g, ' '));
  if (draft) return [h('em', {}, 'Draft: '), line(draft)];
  if (chat.preview !== null) return [chat.preview_mine ? 'You: ' : '', line(chat.preview)];
  if (chat.relation === 'requested') return ['Has not answered yet'];
  if (chat.unread > 0) return ['New message'];
  if (chat.last_state === null) return ['No messages in this browser'];
  return [LEFT[chat.last_state] ?? `${chat.preview_mine ? 'You: a' : 'A'} message that burns`];
}

/** When the newest of a row was written; nothing where there is none. @param {number} ms */
const rowWhen = (ms) =>
  h('time', { class: 'chat-row__time', datetime: ms > 0 && new Date(ms).toISOString() }, rowTime(ms));

/**
 * What is inside a row.
 * @param {Chat} chat
 * @param {string} draft
 */
export function rowParts(chat, draft) {
  const marks = h('span', { class: 'chat-row__marks' });
  if (chat.verified) marks.append(icon('verified', 'icon--xs'), h('span', { class: 'visually-hidden' }, 'Verified'));
  if (chat.burn !== null && chat.burn !== 'never')
    marks.append(icon('timer', 'icon--xs'), h('span', { class: 'visually-hidden' }, 'With a timer'));
  if (chat.muted) {
    const bell = icon('bell-off', 'icon--xs quiet');
    marks.append(bell, h('span', { class: 'visually-hidden' }, 'Muted'));
  }
  return [
    avatar(chat.chat, chatName(chat)),
    h(
      'span',
      { class: 'chat-row__body' },
      h(
        'span',
        { class: 'chat-row__line' },
        h('span', { class: 'chat-row__name truncate', dir: 'auto' }, chatName(chat)),
        marks,
        rowWhen(chat.last_ms),
      ),
      h(
        'span',
        { class: 'chat-row__line' },
        h('span', { class: 'chat-row__preview truncate' }, ...preview(chat, draft)),
        (chat.key_changed || chat.key_changed_back) && icon('alert', 'icon--sm'),
        chat.unread > 0 &&
          h(
            'span',
            { class: chat.muted ? 'badge badge--quiet' : 'badge', 'data-testid': 'unread-count' },
            chat.unread > 99 ? '99+' : String(chat.unread),
            h('span', { class: 'visually-hidden' }, ' unread'),
          ),
      ),
    ),
  ];
}

/** @param {HTMLElement} row @param {boolean} current */
function markCurrent(row, current) {
  const button = /** @type {HTMLElement} */ (row.firstElementChild);
  if (current) button.setAttribute('aria-current', 'true');
  else button.removeAttribute('aria-current');
}

/**
 * Keeps the list of chats; each row asks for `open-chat`.
 * @param {HTMLElement} list
 * @param {(chat: string) => string} draftOf
 */
export function chatList(list, draftOf) {
  let current = '';
  /** @type {(chats: Chat[]) => void} */
  const rows = rowsOf(list, {
    key: (chat) => chat.chat,
    make: (id, chat) => {
      const about = { 'data-testid': 'chat-row', 'data-chat': id, 'data-handle': chat.handle };
      return h('li', {}, h('button', { class: 'chat-row', type: 'button', 'data-action': 'open-chat', ...about }));
    },
    from: (chat) => [chat, rowTime(chat.last_ms), draftOf(chat.chat), chat.chat === current],
    draw: (row, chat) => {
      const button = /** @type {HTMLElement} */ (row.firstElementChild);
      button.replaceChildren(...rowParts(chat, draftOf(chat.chat)));
      button.dataset.unread = String(chat.unread > 0);
      markCurrent(row, chat.chat === current);
    },
  });
  /** @param {Chat[]} chats @param {string} open */
  return (chats, open) => {
    current = open;
    rows(chats);
  };
}

/** @param {Request} request */
function requestParts(request) {
  const name = request.alias || request.handle;
  return [
    avatar(request.chat, name),
    h(
      'span',
      { class: 'chat-row__body' },
      h(
        'span',
        { class: 'chat-row__line' },
        h('span', { class: 'chat-row__name truncate', dir: 'auto' }, name),
        rowWhen(request.received_ms),
      ),
      h(
        'span',
        { class: 'chat-row__line' },
        h(
          'span',
          { class: 'chat-row__preview truncate', dir: 'auto' },
          request.key_changed
            ? 'Under other keys than before'
            : request.greeting || (request.by_link ? 'Came by your invite link' : 'Wants to talk to you'),
        ),
      ),
    ),
  ];
}

/**
 * Keeps the list of requests; each row asks for `open-request`.
 * @param {HTMLElement} list
 */
export function requestList(list) {
  let current = '';
  /** @type {(requests: Request[]) => void} */
  const rows = rowsOf(list, {
    key: (request) => request.chat,
    make: (id, request) => {
      const about = { 'data-testid': 'request-row', 'data-request': id, 'data-handle': request.handle };
      const how = { class: 'chat-row', type: 'button', 'data-action': 'open-request', 'data-unread': 'true' };
      return h('li', {}, h('button', { ...how, ...about }));
    },
    from: (request) => [request, rowTime(request.received_ms), request.chat === current],
    draw: (row, request) => {
      /** @type {HTMLElement} */ (row.firstElementChild).replaceChildren(...requestParts(request));
      markCurrent(row, request.chat === current);
    },
  });
  /** @param {Request[]} requests @param {string} open */
  return (requests, open) => {
    current = open;
    rows(requests);
  };
}
