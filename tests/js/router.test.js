import assert from 'node:assert/strict';
import test from 'node:test';

import { fakeWindow, settled } from './history.js';

const history = fakeWindow('/i#an.invite');
const router = await import('../../static/js/lib/router.js');
const { layer } = await import('../../static/js/lib/layers.js');

test('a link’s secret is taken out of the address, and that there was one is remembered', () => {
  assert.equal(router.takeFragment(), true);
  assert.equal(router.openedWith(), 'an.invite');
  assert.equal(history.url.href, 'https://chat.example/i');
  assert.equal(router.lostLink(), false, 'this page still has it');
  assert.equal(router.byInvite(), false, 'it is not a whole one');
  assert.equal(history.state.link, true, 'one that is loaded again knows that there was one');
});

test('a link that was used is forgotten', () => {
  router.forgetLink();
  assert.equal(router.openedWith(), '');
});

test('going somewhere tells the watchers, and going where one is does not', () => {
  let told = 0;
  router.watch(() => (told += 1));
  router.go('/register');
  assert.deepEqual([router.path(), told], ['/register', 1]);
  router.go('/register');
  assert.equal(told, 1);
  router.go('/chat', true);
  assert.deepEqual([router.path(), told, history.entries.length], ['/chat', 2, 2]);
});

test('the open chat is noted in the address of the chats only', () => {
  router.note('abc');
  assert.equal(router.spot(), 'abc');
  router.go('/settings', true);
  router.note('def');
  assert.deepEqual([history.url.pathname, history.url.hash, router.spot()], ['/settings', '', '']);
});

test('going back closes what is on top and nothing else', async () => {
  /** @type {string[]} */
  const closed = [];
  layer(() => closed.push('chat'));
  layer(() => closed.push('menu'));
  const depth = history.at;
  history.go(-1);
  await settled();
  assert.deepEqual(closed, ['menu']);
  assert.equal(history.at, depth - 1);
});

test('a layer that is closed otherwise leaves the history', async () => {
  const before = history.at;
  const over = layer(() => assert.fail('it is closed already'));
  assert.equal(history.at, before + 1);
  over();
  await settled();
  assert.equal(history.at, before);
});
