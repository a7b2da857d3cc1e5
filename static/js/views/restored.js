/** What only the person can decide before the account goes on: a restore that the server claims, clocks that disagree. */
import { h, icon } from '../lib/dom.js';
import { View } from '../lib/part.js';

/**
 * @typedef {import('../types.js').Context} Context
 * @typedef {{at: number, text: string}} Restored
 * @typedef {{seen_at: number, server_at: number, device_at: number, text: string}} Clocks
 * @typedef {{name: string, heading: string, text: string, facts: Node, accept: string, go: string, stop: string}} Question
 */

/** @param {number} at @param {string} name */
function moment(at, name) {
  const when = new Date(at * 1000);
  const known = !Number.isNaN(when.getTime());
  const text = known
    ? when.toLocaleString(undefined, { dateStyle: 'long', timeStyle: 'short' })
    : 'a time beyond all calendars';
  return h('time', { datetime: known ? when.toISOString() : '', 'data-testid': name }, text);
}

class QuestionView extends View {
  /** @param {Context} context @param {Question} question */
  constructor(context, { name, heading, text, facts, accept, go, stop }) {
    const yes = { class: 'button button--wide', 'data-testid': `${name}-accept`, 'data-action': 'accept' };
    const no = { class: 'button button--text', 'data-testid': `${name}-decline`, 'data-action': 'decline' };
    const answers = [h('button', { type: 'button', ...yes }, go), h('button', { type: 'button', ...no }, stop)];
    const card = h(
      'div',
      { class: 'solo__card card' },
      h('div', { class: 'solo__mark' }, icon('alert', 'icon--xl')),
      h('div', { class: 'center stack stack--tight' }, h('h1', { tabindex: -1 }, heading), facts),
      h('p', { class: 'muted', 'data-testid': `${name}-text` }, text),
      h('div', { class: 'stack' }, ...answers),
    );
    super(context, h('main', { class: 'solo', 'data-testid': name }, card));
    const decide = (/** @type {string} */ command) => () => {
      for (const button of answers) button.disabled = true;
      this.send({ c: command });
    };
    this.actions(this.node, { accept: decide(accept), decline: decide('cancel') });
  }

  /** @override */
  focus() {
    this.node.querySelector('h1')?.focus();
  }
}

export class RestoredView extends QuestionView {
  /** @param {Context} context @param {Restored} event */
  constructor(context, { at, text }) {
    super(context, {
      name: 'restored',
      heading: 'The server was restored',
      text,
      facts: h('p', {}, 'From a backup of ', moment(at, 'restored-at'), '.'),
      accept: 'accept_restored',
      go: 'I know of it, go on',
      stop: 'Do not go on',
    });
  }
}

export class ClockView extends QuestionView {
  /** @param {Context} context @param {Clocks} event */
  constructor(context, event) {
    const device = moment(event.device_at, 'clock-device');
    const server = moment(event.server_at, 'clock-server');
    const seen = moment(event.seen_at, 'clock-seen');
    super(context, {
      name: 'clock',
      heading: 'Which clock is right?',
      text: event.text,
      facts: h('p', {}, 'This device: ', device, '. The server: ', server, '. Your account was used at ', seen, '.'),
      accept: 'accept_clock',
      go: 'This device is right, go on',
      stop: 'Lock',
    });
  }
}
