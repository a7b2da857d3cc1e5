import assert from 'node:assert/strict';
import test from 'node:test';

import { State } from '../../static/js/lib/state.js';

const me = { user_id: '1', handle: 'mira', alias: 'Mira', role: 'member' };
const unlocked = { e: 'state', state: 'unlocked', reason: 'signed_in', me };
const chat = { chat: '2', handle: 'jonas' };

test('the last event of a kind is kept', () => {
  const state = new State();
  assert.equal(state.state.state, 'starting');
  assert.equal(state.chat('2'), undefined);
  state.apply(unlocked);
  state.apply({ e: 'chats', chats: [chat] });
  assert.equal(state.state.me?.handle, 'mira');
  assert.equal(state.chat('2')?.handle, 'jonas');
});

test('what is a person’s own is forgotten when it is locked', () => {
  const state = new State();
  state.apply(unlocked);
  state.apply({ e: 'chats', chats: [chat] });
  state.apply({ e: 'requests', requests: [chat] });
  state.apply({ e: 'server', version: '1' });
  state.apply({ e: 'state', state: 'locked', reason: 'user', me });
  assert.deepEqual([state.chats, state.requests, state.server?.version], [[], [], '1']);
  state.forget();
  assert.equal(state.server, undefined);
});

test('what became of the server is known until somebody is signed in', () => {
  const state = new State();
  const server = (/** @type {object} */ what) => state.apply({ e: 'server', boot_id: '1', ...what });
  server({});
  assert.equal(state.meanwhile, '');
  state.apply(unlocked);
  server({ boot_id: '2' });
  assert.equal(state.meanwhile, '', 'whoever was here was told');
  state.apply({ e: 'state', state: 'locked' });
  server({ boot_id: '3' });
  assert.equal(state.meanwhile, 'restarted');
  server({ boot_id: '4', restored_at: 5 });
  server({ boot_id: '5', restored_at: 5 });
  assert.equal(state.meanwhile, 'restored', 'which says more');
  state.apply(unlocked);
  assert.equal(state.meanwhile, '');
});

test('an event counts as dealt with when one listener says so', () => {
  const state = new State();
  const { signal } = new AbortController();
  assert.equal(state.apply({ e: 'failed' }), false);
  state.on('failed', () => {}, signal);
  state.on('failed', ({ during }) => during === 'send', signal);
  assert.equal(state.apply({ e: 'failed', during: 'send' }), true);
  assert.equal(state.apply({ e: 'failed', during: 'edit' }), false);
});

test('a listener that another one ended is not called', () => {
  const state = new State();
  const end = new AbortController();
  let heard = 0;
  state.on('state', () => end.abort(), new AbortController().signal);
  state.on('state', () => (heard += 1), end.signal);
  state.apply(unlocked);
  assert.equal(heard, 0);
});
