import assert from 'node:assert/strict';
import test from 'node:test';

import { Host } from '../../static/js/core/host.js';

class Socket extends EventTarget {
  static OPEN = 1;
  /** @type {Socket[]} */
  static all = [];
  readyState = Socket.OPEN;
  /** @type {any[]} */
  sent = [];

  /** @param {string} url */
  constructor(url) {
    super();
    this.url = url;
    Socket.all.push(this);
  }

  /** @param {any} data */
  send(data) {
    this.sent.push(data);
  }

  close() {}

  /** @param {any} data */
  hears(data) {
    this.dispatchEvent(Object.assign(new Event('message'), { data }));
  }
}

/** A host whose core opens a socket and notes the frames that it is given. */
function begin() {
  globalThis.WebSocket = /** @type {any} */ (Socket);
  /** @type {number[][]} */
  const frames = [];
  const core = {
    command: () => [
      { o: 'socket_connect', live_id: '07' },
      { o: 'socket_frame', data: new Uint8Array([1, 2]) },
    ],
    socket_frame: (/** @type {Uint8Array} */ frame) => {
      frames.push([...frame]);
      return [];
    },
  };
  const engine = /** @type {any} */ ({ core: () => core, wipe() {}, wasmHash: '' });
  new Host(engine, 'https://chat.example', () => {}).command('{"c":"start"}');
  const socket = Socket.all.at(-1);
  assert.ok(socket);
  return { socket, frames };
}

test('every socket asks for delivery and carries bytes alone', () => {
  const { socket, frames } = begin();
  assert.equal(socket.url, 'wss://chat.example/api/v1/ws?live_id=07&deliver=1');
  assert.deepEqual(socket.sent, [new Uint8Array([1, 2])]);
  socket.hears(new Uint8Array([3, 4, 5]).buffer);
  assert.deepEqual(frames, [[3, 4, 5]]);
});

test('text is handed to the core as nothing, however it reads', () => {
  const { socket, frames } = begin();
  for (const text of ['{"t":"hello"}', '5', '']) socket.hears(text);
  assert.deepEqual(frames, [[], [], []]);
});
