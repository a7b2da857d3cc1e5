import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import test from 'node:test';

import { State } from '../../static/js/lib/state.js';

// Node 18 has it only as a module.
globalThis.crypto ??= webcrypto;
const { Drafts } = await import('../../static/js/chat/drafts.js');

function begin() {
  const state = new State();
  /** @type {any[]} */
  const sent = [];
  return { state, sent, drafts: new Drafts(state, (command) => sent.push(command)) };
}

/** Notes what became of what the core was given. */
function hearer() {
  /** @type {string[]} */
  const heard = [];
  return { heard, taken: () => heard.push('taken'), failed: (/** @type {string} */ why) => heard.push(why) };
}

test('a draft is told to the core once and kept by chat', () => {
  const { drafts, sent } = begin();
  drafts.keep('1', 'hello');
  drafts.keep('1', 'hello');
  assert.deepEqual([drafts.of('1'), drafts.of('2'), sent.length, drafts.any()], ['hello', '', 1, true]);
  assert.equal(drafts.take({ ...sent[0], text: 'old' }), false, 'the echo of what this page typed');
  assert.equal(drafts.take({ e: 'draft', chat: '1', text: 'from another tab' }), true);
  assert.equal(drafts.of('1'), 'from another tab');
  drafts.forget();
  assert.equal(drafts.any(), false);
});

test('what was typed while a message was on its way stays', () => {
  const { state, drafts } = begin();
  drafts.keep('1', 'first');
  const ear = hearer();
  const given = drafts.give({ chat: '1', text: 'first', tag: 't', edits: '' }, ear);
  drafts.keep('1', 'first and more');
  state.apply({ e: 'message', chat: '1', message: { id: 'm', tag: 'other' } });
  assert.equal(given.open, true);
  state.apply({ e: 'message', chat: '1', message: { id: 'm', tag: 't' } });
  assert.deepEqual([given.open, drafts.of('1'), ear.heard], [false, ' and more', ['taken']]);
});

test('a chat that was left keeps its draft straight and says nothing', () => {
  const { state, drafts } = begin();
  drafts.keep('1', 'first');
  const ear = hearer();
  drafts.give({ chat: '1', text: 'first', tag: 't', edits: '' }, ear).hearer = null;
  drafts.give({ chat: '1', text: 'changed', tag: 'u', edits: 'm' }, ear).hearer = null;
  state.apply({ e: 'message', chat: '1', message: { id: 'n', tag: 't' } });
  assert.deepEqual([drafts.of('1'), ear.heard], ['', []]);
  const failed = { e: 'failed', chat: '1', during: 'edit', message: 'm', text: 'too late' };
  assert.equal(state.apply(failed), false, 'so that it is said elsewhere');
});

test('what is refused is said to whoever gave it, and a new core has been given nothing', () => {
  const { state, drafts } = begin();
  const ear = hearer();
  drafts.give({ chat: '1', text: 'x', tag: 't', edits: '' }, ear);
  assert.equal(state.apply({ e: 'failed', chat: '1', during: 'send', tag: 't', text: 'too long' }), true);
  const given = drafts.give({ chat: '1', text: 'x', tag: 'u', edits: '' }, ear);
  state.apply({ e: 'state', state: 'locked' });
  assert.deepEqual([given.open, ear.heard], [false, ['too long']]);
});
