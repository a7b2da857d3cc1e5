/** One chat: its header, its messages and the composer. */
import { actions, avatar, cloneAll, h, icon, slot } from '../lib/dom.js';
import { popover } from '../lib/popover.js';
import { copy } from '../lib/say.js';
import { Subscriptions } from '../lib/state.js';
import { messageArrows } from './arrows.js';
import { composer } from './composer.js';
import { messageLog } from './log.js';
import { tickBurns } from './message.js';
import { confirmDialog } from './people.js';
import { shownMessages } from './shown.js';
import { keyNotices } from './trust.js';

/**
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('../types.js').Context} Context
 */

/** How long the line over what was unread stays once that was read, milliseconds. */
const LINE_STAYS = 8000;

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
  const typing = slot(root, 'typing');
  const toNew = /** @type {HTMLElement} */ (root.querySelector('[data-action="to-new"]'));
  const subscriptions = new Subscriptions();
  /** @type {Map<string, number>} */
  const burning = new Map();
  let below = 0;
  let typingUntil = 0;
  let focusLost = false;
  let drawnHeader = '';
  let drawnNotices = '';

  const chat = () => state.chat(id);
  const name = () => chat()?.alias || chat()?.handle || '';

  const log = messageLog(
    { scroll, log: slot(root, 'log'), list, times: slot(root, 'times'), earlier: slot(root, 'earlier') },
    {
      name,
      known: () => chat()?.relation === 'contact',
      added: (item) => shown.observe(item),
      drawn: (item) => arrows.drawn(item),
      dropped: (item) => {
        shown.unobserve(item);
        arrows.dropped(item);
      },
    },
  );
  const shown = shownMessages(
    scroll,
    log.message,
    (ids) => send({ c: 'shown', chat: id, messages: ids }),
    (message) => send({ c: 'reveal', chat: id, message }),
  );
  const arrows = messageArrows(scroll, log);
  const writer = composer(context, id, slot(root, 'composer'), {
    lastOwn: () =>
      log
        .all()
        .findLast(
          (message) =>
            message.mine && message.text !== null && !['failed', 'vanished', 'expired'].includes(message.state),
        ),
    sent: () => {
      log.undivide();
      requestAnimationFrame(log.toEnd);
    },
  });

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let lineTimer;
  /** The line over what was unread goes a while after all of that was read. */
  function endLine() {
    clearTimeout(lineTimer);
    lineTimer = setTimeout(log.undivide, LINE_STAYS);
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let burnTimer;
  function burn() {
    clearTimeout(burnTimer);
    if (tickBurns(list, burning)) burnTimer = setTimeout(burn, 250);
  }

  function header() {
    const row = chat();
    if (!row) return;
    writer.update();
    const typed = typingUntil > Date.now();
    const drawn = JSON.stringify([{ ...row, preview: '', last_ms: 0, unread: 0 }, typed]);
    if (drawn === drawnHeader) return;
    drawnHeader = drawn;
    log.refresh();
    slot(root, 'avatar').replaceChildren(avatar(id, name(), 'sm'));
    slot(root, 'name').textContent = name();
    slot(root, 'heading').textContent = `Conversation with ${name()}`;
    const asked = row.relation === 'requested';
    const sub = typed
      ? 'typing…'
      : asked
        ? 'Has not answered yet'
        : row.verified
          ? 'Verified'
          : row.linked
            ? 'Keys as in the invite link'
            : 'Not verified. Compare the digits';
    slot(root, 'sub').textContent = sub;
    // The line below says it already, unless it says something else just now.
    slot(root, 'verified').replaceChildren(
      ...(row.verified
        ? [
            h(
              'span',
              { 'data-testid': 'verified-mark' },
              icon('verified', 'icon--sm'),
              sub !== 'Verified' && h('span', { class: 'visually-hidden' }, 'Verified'),
            ),
          ]
        : []),
    );
    const notices = JSON.stringify([row.key_changed, row.key_changed_back, name()]);
    // A press on one of their buttons may be under way.
    if (notices !== drawnNotices) slot(root, 'notices').replaceChildren(...keyNotices(row, name()));
    drawnNotices = notices;
  }

  function showTyping() {
    const now = typingUntil > Date.now();
    const changed = typing.hidden === now;
    const end = log.atEnd();
    typing.hidden = !now;
    slot(root, 'typing-text').textContent = now ? `${name()} is typing` : '';
    if (changed) {
      header();
      if (now && end) log.toEnd();
    }
    if (now) setTimeout(showTyping, typingUntil - Date.now() + 20);
  }

  function countBelow() {
    if (log.atEnd()) below = 0;
    toNew.hidden = below === 0;
    toNew.replaceChildren(icon('down', 'icon--sm'), `${below} new`);
  }

  /** On leaving, whatever burns on reading and was read burns. */
  function burnShown() {
    const read = log
      .all()
      .filter((message) => !message.mine && message.burn === 'on_read' && message.text !== null)
      .map((message) => message.id);
    if (read.length > 0) send({ c: 'hide', chat: id, messages: read });
  }

  /** @param {HTMLElement} target */
  const messageOf = (target) => /** @type {HTMLElement} */ (target.closest('[data-id]')).dataset.id ?? '';
  actions(root, {
    back: then.back,
    details: then.details,
    'to-new': () => {
      log.toEnd();
      writer.focus();
    },
    'keys-seen': () => send({ c: 'acknowledge_keys', chat: id }),
    'accept-key': () => send({ c: 'accept_changed_key', chat: id }),
    reveal: (target) => {
      shown.revealed(messageOf(target));
      send({ c: 'reveal', chat: id, message: messageOf(target) });
    },
    hide: (target) => send({ c: 'hide', chat: id, messages: [messageOf(target)] }),
    again: (target) => send({ c: 'send_again', chat: id, message: messageOf(target) }),
    tools: (target) => tools(target, /** @type {Message} */ (log.message(messageOf(target)))),
  });

  /** @param {HTMLElement} anchor @param {Message} message */
  function tools(anchor, message) {
    const entry = (
      /** @type {string} */ mark,
      /** @type {string} */ text,
      /** @type {string} */ testid,
      /** @type {() => void} */ run,
      danger = false,
    ) =>
      h(
        'button',
        {
          class: danger ? 'menu__item menu__item--danger' : 'menu__item',
          type: 'button',
          role: 'menuitem',
          'data-testid': testid,
          onclick: run,
        },
        icon(mark),
        text,
      );
    const remove = (/** @type {boolean} */ everywhere) => () =>
      send({ c: 'delete', chat: id, message: message.id, everywhere });
    const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': 'Message', 'data-testid': 'menu-message' });
    if (message.text !== null)
      menu.append(
        entry('copy', 'Copy the text', 'copy-message', () => {
          void copy(message.text ?? '', 'Text');
        }),
      );
    if (message.mine && message.text !== null && message.state !== 'failed')
      menu.append(entry('edit', 'Edit', 'edit-message', () => writer.edit(message)));
    menu.append(
      entry(
        'trash',
        message.sealed ? 'Delete unread' : 'Delete here',
        'delete-here',
        message.sealed
          ? () =>
              confirmDialog(
                {
                  title: 'Delete it unread?',
                  text: 'It is wiped here and at the server, and nobody can read it any more. Its sender is not told that it was read.',
                  yes: 'Delete unread',
                },
                remove(false),
              )
          : remove(false),
        true,
      ),
    );
    if (message.mine)
      menu.append(
        entry(
          'trash',
          'Delete for both',
          'delete-everywhere',
          () =>
            confirmDialog(
              {
                title: 'Delete for both?',
                text: `The message is wiped here and in your other browsers. ${name()}’s browser is asked to wipe it too, and shows that something was taken back. What was read, copied or photographed before then cannot be taken back.`,
                yes: 'Delete for both',
              },
              remove(true),
            ),
          true,
        ),
      );
    popover(anchor, menu);
  }

  const attention = () => {
    focusLost = !document.hasFocus();
    if (focusLost) log.undivide();
    shown.mark();
  };
  addEventListener('focus', attention);
  addEventListener('blur', attention);
  document.addEventListener('visibilitychange', attention);
  // A growing composer or a keyboard on a phone must not move the last line out of sight.
  let end = true;
  scroll.addEventListener(
    'scroll',
    () => {
      end = log.atEnd();
      log.grow();
      countBelow();
    },
    { passive: true },
  );
  const resizing = new ResizeObserver(() => {
    if (end) log.toEnd();
  });
  resizing.observe(scroll);

  subscriptions.add(
    () => removeEventListener('focus', attention),
    () => removeEventListener('blur', attention),
    () => document.removeEventListener('visibilitychange', attention),
    () => {
      shown.stop();
      resizing.disconnect();
      clearTimeout(burnTimer);
      clearTimeout(lineTimer);
    },
    state.on('chats', header),
    state.on('settings', header),
    state.on('conversation', (event) => {
      if (event.chat !== id) return;
      log.set(event.messages);
      end = log.atEnd();
      burn();
    }),
    state.on('message', ({ chat: of, message }) => {
      if (of !== id || !log.loaded()) return;
      const fresh = log.message(message.id) === undefined;
      // Whoever has just scrolled up is heard of in the next frame only.
      end &&= log.atEnd();
      // What was written here goes to the end by itself; what another session of one's own said moves nothing.
      if (fresh && !message.mine) {
        if (focusLost) log.divide(message.id);
        if (!end) below += 1;
      }
      log.put(message, !end);
      if (end) log.toEnd();
      if (fresh) countBelow();
      // Read, or gone before it was.
      if (!message.mine && message.state !== 'unread') endLine();
      if (message.burns_ms !== null) burn();
      shown.mark();
    }),
    state.on('message_removed', (event) => {
      if (event.chat !== id) return;
      log.remove(event.message);
      endLine();
    }),
    state.on('typing', (event) => {
      if (event.chat !== id) return;
      typingUntil = event.until_ms;
      showTyping();
    }),
    // Why a message of this chat was not sent stands beside it.
    state.on(
      'failed',
      (failed) => failed.chat === id && failed.during === 'send' && log.message(failed.message ?? '') !== undefined,
    ),
  );
  header();
  send({ c: 'open_chat', chat: id });

  return {
    node: root,
    focus: () => writer.focus(),
    stop: () => {
      burnShown();
      writer.stop();
      subscriptions.stop();
    },
  };
}
