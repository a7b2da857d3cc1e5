/** One message as a list item. */
import { arrange, h, icon, ring } from '../lib/dom.js';
import { clockTime, countdown, duration, expiry, fullTime } from '../lib/format.js';
import { linked } from '../lib/text.js';

/** @typedef {import('../types.js').Message} Message */

/** What each state of an own message is called, and its mark. @type {Record<string, [string, string]>} */
const OWN = {
  sending: ['clock', 'Sending'],
  held: ['alert', 'Held back'],
  waiting: ['hourglass', 'Waiting in memory'],
  delivered: ['check', 'Delivered'],
  read: ['checks', 'Read'],
  burned: ['flame', 'Read and burned'],
  expired: ['timer', 'Expired unread'],
  vanished: ['bolt', 'Vanished when the server restarted'],
  failed: ['alert', 'Not sent'],
  deleted: ['trash', 'Deleted'],
};

/** What is left of an incoming message. @type {Record<string, [string, string]>} */
const GONE = {
  burned: ['flame', 'Burned'],
  expired: ['timer', 'Expired before it was read'],
  gone: ['device', 'Read in another session of yours, or no longer at the server, as after a restart'],
  lost: [
    'alert',
    'A message came to a tab of yours that was closed before it was read. Ask for it again: its sender was not there to send it once more',
  ],
  deleted: ['trash', 'Taken back'],
};

/** @type {Record<string, string>} */
const WARNINGS = {
  dropped: 'Messages before this one are missing. Ask whether something was sent that you did not get.',
  reordered: 'This message came out of order.',
  'last-resort': 'This message had weaker protection, because all one-time pairs were used up or held back.',
  'key-changed': 'This was written under keys that are not the ones you know.',
};

/** What is worth a word and is no alarm. @type {Record<string, string>} */
const NOTES = {
  'expired-before': 'A message before this one expired before it was read.',
  elsewhere: 'A message before this one is not here: another browser of yours may have read it.',
  late: 'This message came after later ones; it stands where it was sent.',
};

/** Why an hourglass stays on a message that has arrived. */
const WAITED =
  'It waited in the server’s memory, which is weaker than being there: whoever kept an old copy of the reader’s key safe and learns their passphrase can open a recording of it';

/** Whether a message that has arrived went by the weaker path. @param {Message} message */
function waited(message) {
  return message.path === 'waiting' && !['sending', 'held', 'waiting', 'failed'].includes(message.state);
}

/**
 * The state of a message in words, for screen readers and titles.
 * @param {Message} message
 */
function stateText(message) {
  if (!message.mine) return GONE[message.state]?.[1] ?? '';
  if (message.by_server && message.state === 'vanished') return 'Gone before it was read, according to the server';
  if (message.state === 'burned' && message.burn === 'on_read') {
    // Its reader may have it on the screen for a while yet; here it is gone.
    return message.burns_ms !== null
      ? 'Read, and burned here. There it burns within 2 minutes'
      : 'Read and burned, here and there';
  }
  if (message.taken) return 'Taken for good, according to the server. No receipt says that it was read';
  const text = OWN[message.state]?.[1] ?? '';
  return message.by_server && message.state === 'delivered' ? `${text}, according to the server` : text;
}

/**
 * Text that describes the item outside the live region: when, and what became of it.
 * @param {Message} message
 */
export function description(message) {
  return [fullTime(message.sent_ms), stateText(message), message.edited ? 'Edited' : '', waited(message) ? WAITED : '']
    .filter(Boolean)
    .join('. ');
}

/** Who says it, for screen readers. @param {Message} message @param {string} name */
const author = (message, name) => h('span', { class: 'visually-hidden' }, `${message.mine ? 'You' : name}: `);

/** @param {Message} message @param {string} name */
function sealedBubble(message, name) {
  const once = message.burn === 'on_read';
  const text = once
    ? 'Burns on reading'
    : `Burns ${typeof message.burn === 'object' ? duration(message.burn.after) : ''} after reading`;
  return h(
    'div',
    { class: 'bubble bubble--sealed' },
    icon('flame'),
    h(
      'span',
      {},
      author(message, name),
      text,
      once && h('small', {}, 'Once, for 2 minutes at most'),
      message.expires_at !== null && h('small', {}, `Unread until ${expiry(message.expires_at)}`),
    ),
    h(
      'button',
      { class: 'button button--small', type: 'button', 'data-action': 'reveal', 'data-testid': 'reveal' },
      'Read once',
    ),
  );
}

/** @param {Message} message */
function foot(message, /** @type {boolean} */ lastInRun) {
  const line = h('div', { class: 'msg__foot', 'aria-live': 'off', 'data-testid': 'message-foot' });
  const again = () =>
    h(
      'button',
      { class: 'button button--quiet', type: 'button', 'data-action': 'again', 'data-testid': 'send-again' },
      icon('refresh', 'icon--xs'),
      'Send again',
    );
  if (message.burns_ms && message.text !== null) {
    line.append(
      h(
        'span',
        { class: 'burns', 'data-burns': message.burns_ms, 'data-testid': 'burn-countdown' },
        ring(1),
        h('span', { class: 'burns__left' }, countdown(message.burns_ms)),
      ),
    );
  }
  if (!message.mine && message.burn === 'on_read' && message.text !== null && message.burns_ms !== null) {
    line.append(
      h(
        'button',
        { class: 'button button--quiet', type: 'button', 'data-action': 'hide', 'data-testid': 'hide' },
        icon('flame', 'icon--xs'),
        'Burn now',
      ),
    );
  }
  if (message.mine) {
    if (message.state === 'waiting' && lastInRun && message.expires_at)
      line.append(`Waiting in memory, expires ${expiry(message.expires_at)}`);
    // Without a receipt from the person, the server's word is all there is: say so.
    if ((message.by_server || message.taken) && message.text !== null && message.state === 'delivered' && lastInRun)
      line.append(stateText(message));
    if (message.state === 'held') line.append('Held back until you accept the new keys');
    if (message.state === 'failed') {
      line.dataset.tone = 'danger';
      line.append(message.failure_text ? `Not sent. ${message.failure_text}` : 'Not sent', again());
    }
    if (message.state === 'vanished') {
      line.dataset.tone = 'ember';
      // Only a restart that the server has signed is told as one.
      line.append(
        message.by_server ? stateText(message) : 'Vanished: the server restarted before it was read',
        again(),
      );
    }
    if (message.state === 'expired') line.append('Expired unread', again());
  }
  return line.childNodes.length > 0 ? line : null;
}

/**
 * A text with its time and its marks. The text of a bubble that has it already stays the same nodes: its reader may
 * have selected some of it, or be about to follow its link.
 * @param {Message} message
 * @param {string} name
 * @param {Element | null} before
 */
function textBubble(message, name, before) {
  const said = before?.querySelector('.bubble__text');
  const same = before !== null && said?.textContent === message.text;
  const body = same
    ? /** @type {HTMLElement} */ (said)
    : h('div', { class: 'bubble__text', dir: 'auto', 'data-testid': 'message-text' }, ...linked(message.text ?? ''));
  const meta = h('div', { class: 'bubble__meta', 'aria-hidden': 'true', title: description(message) });
  if (message.edited) meta.append('edited ');
  if (message.mine && message.burn !== 'never') meta.append(icon('flame'));
  if (waited(message)) meta.append(icon('hourglass'));
  meta.append(clockTime(message.sent_ms));
  if (message.mine) meta.append(icon(OWN[message.state]?.[0] ?? 'check'));
  body.dataset.meta = meta.textContent ?? '';
  body.style.setProperty('--marks', String(meta.querySelectorAll('svg').length));
  const box = same ? before : h('div', { class: 'bubble' });
  arrange(box, [author(message, name), body, meta]);
  return box;
}

/** @param {Message} message @param {string} name @param {Element | null} before the bubble that is drawn */
function bubble(message, name, before) {
  if (message.sealed && message.text === null && message.state === 'unread') return sealedBubble(message, name);
  if (message.text === null) {
    const mark = (message.mine ? OWN : GONE)[message.state]?.[0] ?? 'info';
    const text = stateText(message) || 'No longer here';
    return h(
      'div',
      { class: 'bubble bubble--gone' },
      icon(mark, 'icon--sm'),
      h('span', {}, author(message, name), text),
    );
  }
  return textBubble(message, name, before);
}

/**
 * Draws or redraws a message into its list item.
 * @param {HTMLLIElement} item
 * @param {Message} message
 * @param {{name: string, first: boolean, last: boolean, lastInRun: boolean}} place
 */
export function drawMessage(item, message, place) {
  item.className = `msg${message.mine ? ' msg--own' : ''}${place.first ? ' msg--first' : ''}${place.last ? ' msg--last' : ''}`;
  item.dataset.testid = 'message';
  item.dataset.state = message.state;
  item.dataset.mine = String(message.mine);
  item.dataset.path = message.path;
  item.dataset.byServer = String(message.by_server);
  item.dataset.taken = String(message.taken);
  item.dataset.sealed = String(message.sealed);
  item.toggleAttribute('data-burning', message.burns_ms !== null && message.text !== null);
  item.setAttribute('aria-describedby', `about-${message.id}`);
  const parts = [bubble(message, place.name, item.querySelector(':scope > .bubble'))];
  if (
    message.text !== null ||
    message.sealed ||
    message.state === 'failed' ||
    (message.mine && message.burns_ms !== null)
  ) {
    // The same button over all changes: a menu may be open beside it, or the focus on it.
    parts.push(
      item.querySelector('.msg__tools') ??
        h(
          'div',
          { class: 'msg__tools' },
          h(
            'button',
            {
              class: 'icon-button',
              type: 'button',
              tabindex: -1,
              'data-action': 'tools',
              'data-testid': 'message-menu',
              'aria-label': 'More about this message',
              'aria-describedby': `about-${message.id}`,
              'aria-haspopup': 'menu',
              'aria-expanded': 'false',
            },
            icon('more', 'icon--sm'),
          ),
        ),
    );
  }
  const line = foot(message, place.lastInRun);
  if (line) parts.push(line);
  for (const warning of message.warnings ?? []) {
    if (warning === 'first') continue;
    const note = NOTES[warning];
    if (note)
      parts.push(h('p', { class: 'msg__note', 'data-testid': `note-${warning}` }, icon('info', 'icon--xs'), note));
    else
      parts.push(
        h(
          'p',
          { class: 'msg__warn', 'data-testid': `warning-${warning}` },
          icon('alert', 'icon--xs'),
          WARNINGS[warning] ?? warning,
        ),
      );
  }
  arrange(item, parts);
}

/**
 * Moves the rings and countdowns on; true while one runs.
 * @param {ParentNode} root
 * @param {Map<string, number>} started when each timer was first seen, by message
 */
export function tickBurns(root, started) {
  const now = Date.now();
  const running = /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll('[data-burns]'));
  for (const line of running) {
    const id = /** @type {HTMLElement} */ (line.closest('[data-id]')).dataset.id ?? '';
    const end = Number(line.dataset.burns);
    const begin = started.get(id) ?? now;
    started.set(id, begin);
    const share = Math.max(0, Math.min(1, (end - now) / Math.max(1, end - begin)));
    line.querySelector('.ring__rest')?.setAttribute('stroke-dashoffset', String(44 * (1 - share)));
    const left = line.querySelector('.burns__left');
    const text = countdown(end, now);
    if (left && left.textContent !== text) left.textContent = text;
  }
  return running.length > 0;
}
