/** The server says that it came out of a backup: what that means, and whether to go on. */
import { h, icon } from '../lib/dom.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../types.js').View} View
 */

/**
 * @param {Context} context
 * @param {{at: number, text: string}} event
 * @returns {View}
 */
export function restoredView(context, event) {
  const when = new Date(event.at * 1000);
  const heading = h('h1', {}, 'The server was restored');
  heading.tabIndex = -1;
  const decide = (/** @type {string} */ command) => () => {
    for (const button of node.querySelectorAll('button')) button.disabled = true;
    context.send({ c: command });
  };
  const node = h('main', { class: 'solo', 'data-testid': 'restored' },
    h('div', { class: 'solo__card card' },
      h('div', { class: 'solo__mark' }, icon('alert', 'icon--xl')),
      h('div', { class: 'center stack stack--tight' },
        heading,
        h('p', {}, 'From a backup of ', h('time', { datetime: when.toISOString(), 'data-testid': 'restored-at' },
          when.toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'short' })), '.')),
      h('p', { class: 'muted', 'data-testid': 'restored-text' }, event.text),
      h('div', { class: 'stack' },
        h('button', { class: 'button button--wide', type: 'button', 'data-testid': 'restored-accept', onclick: decide('accept_restored') }, 'I know of it, go on'),
        h('button', { class: 'button button--text', type: 'button', 'data-testid': 'restored-decline', onclick: decide('cancel') }, 'Do not go on'))));
  return { node, focus: () => heading.focus(), stop: () => {} };
}
