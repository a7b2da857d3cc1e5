/** What was typed and not sent, by chat, and what the core was given and has not answered yet. */
import { page } from '../lib/part.js';

/**
 * @typedef {import('./timers.js').Timer} Timer
 * @typedef {{taken: () => void, failed: (text: string) => void}} Hearer
 */

/** Names this page's own drafts. */
const PAGE = crypto.randomUUID();

/** A message or an edit that the core was given. */
class Given {
  /** Whether the core has not answered yet. */
  open = true;

  /**
   * @param {{chat: string, text: string, tag: string, edits: string}} what `edits` is empty for a new message
   * @param {Hearer} hearer
   */
  constructor(what, hearer) {
    this.what = what;
    /** Who is told; nobody once the chat was left. @type {Hearer | null} */
    this.hearer = hearer;
  }
}

export class Drafts {
  #send;
  /** As the core has them for all tabs. @type {Map<string, string>} */
  #texts = new Map();
  /** Rules chosen here that the core has not told of yet, by chat. @type {Map<string, Timer>} */
  #chosen = new Map();
  /** @type {Set<Given>} */
  #given = new Set();

  /**
   * @param {import('../lib/state.js').State} state
   * @param {(command: import('../types.js').Command) => void} send
   */
  constructor(state, send) {
    this.#send = send;
    state.on('message', ({ chat, message }) => this.#message(chat, message), page.signal);
    state.on('failed', (failed) => this.#failed(failed), page.signal);
    // A core that started anew has forgotten what it was given.
    state.on('state', () => [...this.#given].forEach((given) => this.#close(given)), page.signal);
  }

  /** @param {string} chat */
  of(chat) {
    return this.#texts.get(chat) ?? '';
  }

  /** Whether something was typed and not sent. */
  any() {
    return [...this.#texts.values()].some((text) => text.trim() !== '');
  }

  /**
   * Takes what another tab typed, or what stood there before this page was loaded; false where this page typed it.
   * @param {import('../types.js').DraftEvent} draft
   */
  take({ chat, text, tag }) {
    if (tag === PAGE) return false;
    this.#set(chat, text);
    return true;
  }

  /** Keeps what was typed here. @param {string} chat @param {string} text */
  keep(chat, text) {
    if (text === this.of(chat)) return;
    this.#set(chat, text);
    this.#send({ c: 'draft', chat, text, tag: PAGE });
  }

  /** Forgets everything typed; on lock and sign-out. */
  forget() {
    this.#texts.clear();
    this.#chosen.clear();
  }

  /** @param {string} chat */
  chosen(chat) {
    return this.#chosen.get(chat);
  }

  /** @param {string} chat @param {Timer | null} timer */
  choose(chat, timer) {
    if (timer) this.#chosen.set(chat, timer);
    else this.#chosen.delete(chat);
  }

  /**
   * Notes what the core is given.
   * @param {Given['what']} what
   * @param {Hearer} hearer
   */
  give(what, hearer) {
    const given = new Given(what, hearer);
    this.#given.add(given);
    return given;
  }

  /** @param {string} chat @param {string} text */
  #set(chat, text) {
    if (text === '') this.#texts.delete(chat);
    else this.#texts.set(chat, text);
  }

  /** @param {Given} given */
  #close(given) {
    given.open = false;
    this.#given.delete(given);
  }

  /** @param {string} chat @param {import('../types.js').Message} message */
  #message(chat, message) {
    for (const given of [...this.#given]) {
      const { chat: of, text, tag, edits } = given.what;
      const same = edits === '' ? message.tag === tag : message.id === edits && message.text === text;
      if (of !== chat || !same) continue;
      this.#close(given);
      // What was typed meanwhile stays.
      if (edits === '' && this.of(chat).startsWith(text)) this.keep(chat, this.of(chat).slice(text.length));
      given.hearer?.taken();
    }
  }

  /** @param {import('../types.js').FailedEvent} failed */
  #failed(failed) {
    let heard = false;
    for (const given of [...this.#given]) {
      const { chat, tag, edits } = given.what;
      const same = edits === '' ? failed.tag === tag : failed.during === 'edit' && failed.message === edits;
      if (failed.chat !== chat || !same) continue;
      this.#close(given);
      given.hearer?.failed(failed.text);
      heard ||= given.hearer !== null;
    }
    return heard;
  }
}
