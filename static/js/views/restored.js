/** What only the person can decide before the account goes on: a restore that the server claims, clocks that disagree. */
import { h, icon } from '../lib/dom.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../types.js').View} View
 * @typedef {{name: string, heading: string, text: string, facts: Node, accept: string, go: string, stop: string}} Question
 */

/**
 * @param {Context} context
 * @param {{at: number, text: string}} event
 * @returns {View}
 */
export function restoredView(context, event) {
  return questionView(context, {
    name: 'restored',
    heading: 'The server was restored',
    text: event.text,
    facts: h('p', {}, 'From a backup of ', moment(event.at, 'restored-at'), '.'),
    accept: 'accept_restored',
    go: 'I know of it, go on',
    stop: 'Do not go on',
  });
}

/**
 * @param {Context} context
 * @param {{seen_at: number, server_at: number, device_at: number, text: string}} event
 * @returns {View}
 */
export function clockView(context, event) {
  return questionView(context, {
    name: 'clock',
    heading: 'Which clock is right?',
    text: event.text,
    facts: h(
      'p',
      {},
      'This device: ',
      moment(event.device_at, 'clock-device'),
      '. The server: ',
      moment(event.server_at, 'clock-server'),
      '. Your account was used at ',
      moment(event.seen_at, 'clock-seen'),
      '.',
    ),
    accept: 'accept_clock',
    go: 'This device is right, go on',
    stop: 'Lock',
  });
}

/** @param {number} at @param {string} name */
function moment(at, name) {
  const when = new Date(at * 1000);
  const known = !Number.isNaN(when.getTime());
  const text = known
    ? when.toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'short' })
    : 'a time beyond all calendars';
  return h('time', { datetime: known ? when.toISOString() : '', 'data-testid': name }, text);
}

/**
 * @param {Context} context
 * @param {Question} question
 * @returns {View}
 */
function questionView(context, question) {
  const heading = h('h1', {}, question.heading);
  heading.tabIndex = -1;
  const decide = (/** @type {string} */ command) => () => {
    for (const button of node.querySelectorAll('button')) button.disabled = true;
    context.send({ c: command });
  };
  const { name } = question;
  const node = h(
    'main',
    { class: 'solo', 'data-testid': name },
    h(
      'div',
      { class: 'solo__card card' },
      h('div', { class: 'solo__mark' }, icon('alert', 'icon--xl')),
      h('div', { class: 'center stack stack--tight' }, heading, question.facts),
      h('p', { class: 'muted', 'data-testid': `${name}-text` }, question.text),
      h(
        'div',
        { class: 'stack' },
        h(
          'button',
          {
            class: 'button button--wide',
            type: 'button',
            'data-testid': `${name}-accept`,
            onclick: decide(question.accept),
          },
          question.go,
        ),
        h(
          'button',
          { class: 'button button--text', type: 'button', 'data-testid': `${name}-decline`, onclick: decide('cancel') },
          question.stop,
        ),
      ),
    ),
  );
  return { node, focus: () => heading.focus(), stop: () => {} };
}
