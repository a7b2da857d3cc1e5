import assert from 'node:assert/strict';
import test from 'node:test';

import { Part, View } from '../../static/js/lib/part.js';
import { State } from '../../static/js/lib/state.js';

const click = () => new Event('click');

test('a part that ends hears nothing more', () => {
  const part = new Part();
  const target = new EventTarget();
  let heard = 0;
  part.listen(target, 'click', () => (heard += 1));
  target.dispatchEvent(click());
  part.stop();
  target.dispatchEvent(click());
  assert.equal(heard, 1);
  part.listen(target, 'click', () => (heard += 1));
  target.dispatchEvent(click());
  assert.equal(heard, 1, 'nor does it begin to');
});

test('a part ends with its owner, and not the other way round', () => {
  const owner = new Part();
  const [one, two] = [new Part(owner), new Part(owner)];
  one.stop();
  assert.deepEqual([owner.ended, one.ended, two.ended], [false, true, false]);
  owner.stop();
  assert.equal(two.ended, true);
  assert.equal(new Part(owner).ended, true, 'one that comes too late as well');
});

test('what a kind of part does at its end is done once, also when its owner ends', () => {
  let ends = 0;
  class Menu extends Part {
    /** @override */
    stop() {
      if (this.ended) return;
      super.stop();
      ends += 1;
    }
  }
  const owner = new Part();
  const menu = new Menu(owner);
  owner.stop();
  menu.stop();
  assert.equal(ends, 1);
});

/** Timers that run when they are told to, in place of the real ones. */
function fakeTimers() {
  const { setTimeout, setInterval, clearTimeout } = globalThis;
  /** @type {Map<number, {at: number, every: number, run: () => void}>} */
  const timers = new Map();
  let now = 0;
  const add = (/** @type {number} */ every) => (/** @type {() => void} */ run, /** @type {number} */ ms) => {
    timers.set(timers.size + 1, { at: now + ms, every: every * ms, run });
    return timers.size;
  };
  Object.assign(globalThis, {
    setTimeout: add(0),
    setInterval: add(1),
    clearTimeout: (id) => timers.get(id) && (timers.get(id).at = Infinity),
  });
  return {
    tick(ms) {
      for (now += ms; ;) {
        const due = [...timers.values()].find((timer) => timer.at <= now);
        if (!due) return;
        due.at = due.every > 0 ? due.at + due.every : Infinity;
        due.run();
      }
    },
    end: () => Object.assign(globalThis, { setTimeout, setInterval, clearTimeout }),
  };
}

test('timers of a part run until it ends', () => {
  const timers = fakeTimers();
  const part = new Part();
  /** @type {string[]} */
  const ran = [];
  part.after(10, () => ran.push('soon'));
  part.cancel(part.after(10, () => ran.push('never')));
  part.every(10, () => ran.push('again'));
  part.after(30, () => ran.push('late'));
  timers.tick(20);
  part.stop();
  part.after(1, () => ran.push('too late'));
  timers.tick(100);
  timers.end();
  assert.deepEqual(ran.sort(), ['again', 'again', 'soon']);
});

test('a view hears of the core until it ends', () => {
  const state = new State();
  const view = new View(/** @type {any} */ ({ state }), /** @type {any} */ ({}));
  let heard = 0;
  view.on('chats', () => (heard += 1));
  state.apply({ e: 'chats', chats: [] });
  view.stop();
  state.apply({ e: 'chats', chats: [] });
  view.on('chats', () => (heard += 1));
  state.apply({ e: 'chats', chats: [] });
  assert.equal(heard, 1);
});
