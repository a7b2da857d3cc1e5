/** What a conversation says of the other person's keys until the person has answered. */

import { h, icon } from '../lib/dom.js';

/**
 * @typedef {import('../types.js').Chat} Chat
 */

/**
 * @param {string} testid
 * @param {string} text
 * @param {[string, string, string]} answer
 */
function notice(testid, text, [action, answerId, words]) {
  const button = { class: 'button button--quiet button--small', type: 'button' };
  return h(
    'div',
    { class: 'notice notice--warn', role: 'alert', 'data-testid': testid },
    icon('alert'),
    h('span', { class: 'grow' }, text),
    h('button', { ...button, 'data-action': 'details' }, 'Compare'),
    h('button', { ...button, 'data-action': action, 'data-testid': answerId }, words),
  );
}

/**
 * Keys that changed, and keys that changed and changed back.
 * @param {Chat} row
 * @param {string} name
 * @returns {HTMLElement[]}
 */
export function keyNotices(row, name) {
  if (row.key_changed) {
    return [
      notice(
        'key-changed',
        `${name} has new keys. That happens with a new identity, or when somebody sits in between. Compare the safety number before you write.`,
        ['accept-key', 'accept-key', 'Write anyway'],
      ),
    ];
  }
  if (row.key_changed_back) {
    return [
      notice(
        'key-changed-back',
        `For a while other keys were shown or used for ${name}; now they are the ones you know again. Somebody may have tried to sit in between. Messages that came under the other keys say so.`,
        ['keys-seen', 'keys-seen', 'I have seen this'],
      ),
    ];
  }
  return [];
}
