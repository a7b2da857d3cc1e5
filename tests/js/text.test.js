import assert from 'node:assert/strict';
import test from 'node:test';

import { fakeDocument } from './dom.js';
import { composing, linked } from '../../static/js/lib/text.js';

fakeDocument();

/** The addresses that a text links to, and that nothing of it is lost. @param {string} text */
function addresses(text) {
  const nodes = linked(text);
  const whole = nodes.map((node) => (typeof node === 'string' ? node : node.textContent)).join('');
  assert.equal(whole, text);
  return nodes.filter((node) => typeof node !== 'string').map((node) => /** @type {any} */ (node).attributes.href);
}

test('an address in a sentence becomes a link without what ends the sentence', () => {
  assert.deepEqual(addresses('See https://example.org/a, then https://example.org/b.'), [
    'https://example.org/a',
    'https://example.org/b',
  ]);
  assert.deepEqual(addresses('Really? (https://example.org/x_(y))!'), ['https://example.org/x_(y)']);
  assert.deepEqual(addresses('no address here'), []);
});

test('an address that names somebody before its host stays text', () => {
  assert.deepEqual(addresses('https://bank.example@evil.example/'), []);
  assert.deepEqual(addresses('https://me:secret@example.org'), []);
});

test('other schemes and invisible characters make no link', () => {
  assert.deepEqual(addresses('javascript:alert(1) data:text/html,x ftp://example.org'), []);
  assert.deepEqual(addresses('https://example.org/\u202egpj.exe'), ['https://example.org/']);
});

test('a link tells the other page nothing and opens beside this one', () => {
  const [link] = /** @type {any[]} */ (linked('https://example.org/'));
  assert.equal(link.attributes.rel, 'noopener noreferrer');
  assert.equal(link.attributes.referrerpolicy, 'no-referrer');
  assert.equal(link.attributes.target, '_blank');
});

test('a key of an input method is no command', () => {
  const key = (/** @type {object} */ event) => composing(/** @type {KeyboardEvent} */ (event));
  assert.equal(key({ isComposing: true, keyCode: 13 }), true);
  assert.equal(key({ isComposing: false, keyCode: 229 }), true);
  assert.equal(key({ isComposing: false, keyCode: 13 }), false);
});
