/** Does what the core asks for: requests, the socket, storage, alarms. It decides nothing. */
import { Keep } from './keep.js';

/** @typedef {import('./engine.js').Output} Output */

/** The longest delay that `setTimeout` takes. */
const LONGEST = 2_147_483_647;

export class Host {
  #engine;
  #origin;
  #broadcast;
  #core;
  #keep = new Keep();
  /** Answers to an instance that was overwritten must not reach the next one. */
  #generation = 0;
  /** What was not sent when the core locked: sealed, for the next one, and nowhere else. */
  #unsent = new Uint8Array();
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #alarm;
  /** Requests that have no answer yet. @type {Set<Promise<void>>} */
  #underWay = new Set();
  /** Gives up what is under way, once no tab is left. */
  #end = new AbortController();

  /**
   * @param {import('./engine.js').Engine} engine
   * @param {string} origin
   * @param {(json: string) => void} broadcast
   */
  constructor(engine, origin, broadcast) {
    this.#engine = engine;
    this.#origin = origin;
    this.#broadcast = broadcast;
    this.#core = engine.core(origin);
  }

  get wasmHash() {
    return this.#engine.wasmHash;
  }

  /** @param {string} json */
  command(json) {
    this.#feed((core, now) => core.command(json, now), json);
  }

  /**
   * Tells the core something and carries out its answer.
   * @param {(core: import('./engine.js').Core, now: number) => Output[]} tell
   * @param {string} [asked] the command, if it is one
   */
  #feed(tell, asked) {
    if (this.#end.signal.aborted) return;
    let outputs;
    try {
      outputs = tell(this.#core, Date.now());
    } catch (error) {
      // A command that the core cannot read, or a trap: then nothing in the instance can be relied on.
      if (error instanceof WebAssembly.RuntimeError) {
        this.#restart();
        this.#say({
          e: 'notice',
          code: 'core-restarted',
          text: 'The encryption core had to start anew. What had been read is gone; what is unread still waits.',
        });
      } else {
        // Told to whoever asked, so that a form or a composer keeps what it has.
        const { c: during, chat, message, tag } = JSON.parse(asked ?? '{"c":"command"}');
        this.#say({
          e: 'failed',
          during,
          chat,
          message,
          tag,
          code: 'bad-command',
          text: 'That could not be understood. Load the page again and retry.',
        });
      }
      return;
    }
    let wiped = false;
    for (const output of outputs) wiped = this.#carryOut(output) || wiped;
    if (wiped) this.#restart();
  }

  /** @param {object} event */
  #say(event) {
    this.#broadcast(JSON.stringify(event));
  }

  #forget() {
    this.#generation += 1;
    this.#disconnect();
    clearTimeout(this.#alarm);
    this.#engine.wipe();
  }

  /** Overwrites the core for good and gives up what is under way, as the end of the worker would. */
  async end() {
    this.#end.abort();
    this.#forget();
    await Promise.allSettled(this.#underWay);
    await this.#keep.close();
  }

  #restart() {
    this.#forget();
    this.#core = this.#engine.core(this.#origin);
    const unsent = this.#unsent;
    this.#unsent = new Uint8Array();
    if (unsent.length > 0) this.#feed((core, now) => core.unsent(unsent, now));
    unsent.fill(0);
    const generation = this.#generation;
    // What the old core still asked for comes first: a sign-out has to arrive before the new one looks.
    void Promise.allSettled(this.#underWay).then(() => {
      if (generation === this.#generation) this.command('{"c":"start"}');
    });
  }

  /**
   * @param {Output} output
   * @returns {boolean} whether the keys are gone and the memory may be overwritten
   */
  #carryOut(output) {
    switch (output.o) {
      case 'event':
        this.#broadcast(output.json);
        break;
      case 'http': {
        const request = this.#request(output);
        this.#underWay.add(request);
        void request.finally(() => this.#underWay.delete(request));
        break;
      }
      case 'socket_connect':
        this.#connect(output.live_id);
        break;
      case 'socket_frame':
        if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(output.data);
        break;
      case 'socket_disconnect':
        this.#disconnect();
        break;
      case 'store':
        void this.#keep.store(output.key, output.value, output.sealed);
        break;
      case 'load':
        void this.#load(output);
        break;
      case 'erase':
        void this.#keep.erase(output.key);
        break;
      case 'wake_at':
        this.#wakeAt(output.ms);
        break;
      case 'wiped':
        this.#unsent = output.unsent;
        return true;
    }
    return false;
  }

  /** @param {Output} output */
  async #request({ id, method, path, content_type: type, body }) {
    const generation = this.#generation;
    /** @type {{status: number, bytes: Uint8Array} | null} */
    let answer = null;
    try {
      const response = await fetch(path, {
        method,
        body: body.length > 0 ? body : undefined,
        headers: type ? { 'Content-Type': type } : {},
        credentials: 'same-origin',
        cache: 'no-store',
        redirect: 'error',
        signal: this.#end.signal,
      });
      answer = { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
    } catch {
      // No answer is an answer too: the core decides when to try again.
    }
    body.fill(0);
    if (generation !== this.#generation) return;
    const { status, bytes } = answer ?? { status: 0, bytes: null };
    if (bytes) this.#feed((core, now) => core.http(id, status, bytes, now));
    else this.#feed((core, now) => core.http_failed(id, now));
  }

  /** @param {string} live */
  #connect(live) {
    this.#disconnect();
    const address = `${this.#origin.replace(/^http/, 'ws')}/api/v1/ws?live_id=${live}&deliver=1`;
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      if (socket !== this.#socket) return;
      // The link's messages are binary: text is handed on as nothing, and ends it.
      const frame = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array();
      this.#feed((core, now) => core.socket_frame(frame, now));
    });
    socket.addEventListener('close', ({ code }) => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.#feed((core, now) => core.socket_closed(code, now));
    });
  }

  #disconnect() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  /** @param {Output} output */
  async #load({ key, sealed }) {
    const generation = this.#generation;
    const value = await this.#keep.load(key, sealed);
    if (generation !== this.#generation) return;
    this.#feed((core, now) => core.stored(key, value, now));
    value?.fill(0);
  }

  /** @param {number} ms */
  #wakeAt(ms) {
    clearTimeout(this.#alarm);
    const delay = Math.min(Math.max(ms - Date.now(), 0), LONGEST);
    this.#alarm = setTimeout(() => this.#feed((core, now) => core.tick(now)), delay);
  }
}
