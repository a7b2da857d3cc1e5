/**
 * The messages of a chat as list items: only a window of them is drawn, and a change touches the message it is about
 * and its neighbours.
 */
import { h } from '../lib/dom.js';
import { dayName } from '../lib/format.js';
import { description, drawMessage } from './message.js';

/** @typedef {import('../types.js').Message} Message */

/** Messages of one person within this time make one group. */
const GROUP_MS = 5 * 60_000;
/** How many are drawn at first, and how many more when the person comes near the end of them. */
const PAGE = 60;
/** How many are drawn at most. */
const MOST = 180;
/** How near an end of what is drawn more is drawn, pixels. */
const NEAR = 600;

/** @param {Message} a @param {Message} b */
const order = (a, b) => a.place - b.place || (a.id < b.id ? -1 : 1);
/** @param {Message | undefined} message */
const day = (message) => (message ? new Date(message.seen_ms).toDateString() : '');

/**
 * Whether two messages belong to one group.
 * @param {Message | undefined} a
 * @param {Message | undefined} b
 */
function joined(a, b) {
  return (
    a !== undefined && b !== undefined && a.mine === b.mine && day(a) === day(b) && b.seen_ms - a.seen_ms < GROUP_MS
  );
}

/** A run of own messages in the same state says it once, under its last. @param {Message} message @param {Message} [after] */
const sameRun = (message, after) =>
  after?.mine &&
  after.state === message.state &&
  after.by_server === message.by_server &&
  after.taken === message.taken;

/** @param {Element} element */
const topOf = (element) => element.getBoundingClientRect().top;

const MISSED = ' Earlier messages of this conversation are not in this tab.';
const PERHAPS_MISSED = ' If there were earlier messages of this conversation, they are not in this tab.';

/**
 * @typedef {{scroll: HTMLElement, log: HTMLElement, list: HTMLElement, times: HTMLElement, earlier: HTMLElement}} Places
 * @typedef {{item: HTMLLIElement, about: HTMLElement, day: HTMLElement | null, drawn: string}} Entry
 * @typedef {object} Hooks
 * @property {() => string} name
 * @property {() => boolean} known
 * @property {(item: HTMLLIElement) => void} added
 * @property {(item: HTMLLIElement) => void} drawn
 * @property {(item: HTMLLIElement) => void} dropped
 */

export class MessageLog {
  #places;
  #hooks;
  /** All of them, in order. @type {Message[]} */
  #all = [];
  /** @type {Map<string, Message>} */
  #byId = new Map();
  /** What is drawn: `#all` from here to there. */
  #from = 0;
  #to = 0;
  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #divider = h('li', { class: 'unread-line', 'data-testid': 'unread-line' }, 'Unread');
  #divided = '';
  #loaded = false;
  /** Whether messages before the first that is here are known to be missing. */
  #missed = false;
  /** The message that has just come, while it is drawn. @type {Message | null} */
  #arriving = null;

  /** @param {Places} places @param {Hooks} hooks */
  constructor(places, hooks) {
    this.#places = places;
    this.#hooks = hooks;
  }

  get loaded() {
    return this.#loaded;
  }

  get all() {
    return this.#all;
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#places.scroll;
    return this.#to === this.#all.length && scrollHeight - scrollTop - clientHeight < 80;
  }

  /** @param {string} id */
  message(id) {
    return this.#byId.get(id);
  }

  /** What is drawn, in order. */
  items() {
    const drawn = this.#all.slice(this.#from, this.#to);
    return drawn.map((message) => /** @type {HTMLLIElement} */ (this.#entries.get(message.id)?.item));
  }

  /** More of what is older or newer, when the person comes near the end of what is drawn. */
  grow() {
    const [from, to] = [this.#from, this.#to];
    const { scrollHeight, scrollTop, clientHeight } = this.#places.scroll;
    if (from > 0 && scrollTop < NEAR) {
      this.#keepPlace(() => this.#moveTo(from - PAGE, Math.min(to, from - PAGE + MOST)));
    } else if (to < this.#all.length && scrollHeight - scrollTop - clientHeight < NEAR) {
      this.#keepPlace(() => this.#moveTo(Math.max(from, to + PAGE - MOST), to + PAGE));
    }
  }

  toEnd() {
    const { scroll } = this.#places;
    if (this.#to < this.#all.length) this.#moveTo(this.#all.length - PAGE, this.#all.length);
    scroll.scrollTop = scroll.scrollHeight;
  }

  /** Puts all of them in place of what was there; at first, shown from the first unread one. @param {Message[]} messages */
  set(messages) {
    const { scroll } = this.#places;
    const end = !this.#loaded || this.atEnd;
    const first = this.#all[this.#from]?.id;
    for (const message of this.#all.slice(this.#from, this.#to)) this.#undraw(message);
    this.#all = [...messages].sort(order);
    this.#noteEarlier(this.#all);
    this.#byId.clear();
    for (const message of this.#all) this.#byId.set(message.id, message);
    this.#from = 0;
    this.#to = 0;
    if (!this.#loaded)
      this.#divided = this.#all.find((message) => !message.mine && message.state === 'unread')?.id ?? '';
    const unread = this.#loaded ? -1 : this.#all.findIndex((message) => message.id === this.#divided);
    const known = this.#all.findIndex((message) => message.id === first);
    if (unread >= 0) this.#moveTo(unread - PAGE / 2, unread + PAGE / 2);
    else if (end || known < 0) this.#moveTo(this.#all.length - PAGE, this.#all.length);
    else this.#moveTo(known, known + MOST);
    // High enough that what follows it is what is seen.
    if (unread >= 0) scroll.scrollTop += topOf(this.#divider) - topOf(scroll) - scroll.clientHeight / 4;
    else if (end) this.toEnd();
    this.#loaded = true;
  }

  /** A new or changed message. @param {Message} message @param {boolean} stays whether the reading place is kept */
  put(message, stays) {
    const before = this.#byId.get(message.id);
    const change = () => {
      this.#byId.set(message.id, message);
      if (before && before.place === message.place) {
        const index = this.#place(message);
        this.#all[index] = message;
        this.#sync(index);
        this.#sync(index - 1);
        this.#sync(index + 1);
        return;
      }
      if (before) this.#take(this.#place(before));
      this.#insert(message);
    };
    if (stays) this.#keepPlace(change);
    else change();
    this.#noteEarlier([message]);
    if (!stays && this.#to - this.#from > MOST) this.#moveTo(this.#all.length - PAGE, this.#all.length);
  }

  /** @param {string} id */
  remove(id) {
    const message = this.#byId.get(id);
    if (!message) return;
    this.#byId.delete(id);
    this.#take(this.#place(message));
    this.#noteEarlier([]);
  }

  /** The first message that came while nobody looked. @param {string} id */
  divide(id) {
    if (this.#divided === '') this.#divided = id;
  }

  /** What the line stood before was read: it goes, and the next that comes unseen gets a new one. */
  undivide() {
    if (this.#divided === '' || this.#all.some((message) => !message.mine && message.state === 'unread')) return;
    const before = this.#byId.get(this.#divided);
    this.#divided = '';
    this.#keepPlace(() => {
      this.#divider.remove();
      if (!before) return;
      const index = this.#place(before);
      this.#sync(index);
      this.#sync(index - 1);
    });
  }

  /** Draws again whatever has changed around the messages, such as a name. */
  refresh() {
    for (let index = this.#from; index < this.#to; index += 1) this.#sync(index);
  }

  /** What came before the first that is here is told above all of them. @param {Message[]} messages */
  #noteEarlier(messages) {
    const { earlier } = this.#places;
    this.#missed ||= messages.some((message) => message.warnings?.includes('first'));
    // Where nothing has come yet, nobody can say whether there was anything.
    const perhaps = this.#all.length === 0 && this.#hooks.known();
    const text = this.#missed ? MISSED : perhaps ? PERHAPS_MISSED : '';
    if (earlier.textContent !== text) earlier.textContent = text;
    earlier.hidden = text === '';
  }

  /** Where a message stands, or would. @param {Message} message */
  #place(message) {
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order(this.#all[middle], message) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first node of what is drawn at `index`. @param {number} index */
  #head(index) {
    const message = index < this.#to ? this.#all[index] : undefined;
    const entry = message && this.#entries.get(message.id);
    return !entry ? null : (entry.day ?? (message.id === this.#divided ? this.#divider : entry.item));
  }

  /** The entry of the message at `index`, in its place. @param {number} index */
  #entry(index) {
    const { id } = this.#all[index];
    const known = this.#entries.get(id);
    if (known) return known;
    const item = h('li', { tabindex: -1, 'data-id': id });
    const entry = { item, about: h('span', { id: `about-${id}` }), day: null, drawn: '' };
    this.#entries.set(id, entry);
    this.#places.times.append(entry.about);
    this.#places.list.insertBefore(item, this.#head(index + 1));
    this.#hooks.added(item);
    return entry;
  }

  /** Draws what stands at `index`, if that is in the window. @param {number} index */
  #sync(index) {
    if (index < this.#from || index >= this.#to) return;
    const message = this.#all[index];
    const before = this.#all[index - 1];
    const after = this.#all[index + 1];
    /** @type {Entry} */
    const entry = this.#entry(index);
    const { item } = entry;
    const isDivided = message.id === this.#divided;
    const first = isDivided || !joined(before, message);
    const last = after?.id === this.#divided || !joined(message, after);
    const drawn = { name: this.#hooks.name(), first, last, lastInRun: !sameRun(message, after) };
    this.#draw(entry, message, drawn);
    if (index === this.#from || day(before) !== day(message)) {
      entry.day ??= h('li', { class: 'day' });
      const name = dayName(message.seen_ms);
      if (entry.day.textContent !== name) entry.day.textContent = name;
    } else {
      entry.day?.remove();
      entry.day = null;
    }
    const { list } = this.#places;
    if (isDivided && this.#divider.nextSibling !== item) list.insertBefore(this.#divider, item);
    const next = isDivided ? this.#divider : item;
    if (entry.day && entry.day.nextSibling !== next) list.insertBefore(entry.day, next);
  }

  /**
   * Draws a message unless it is drawn so already.
   * @param {Entry} entry
   * @param {Message} message
   * @param {{name: string, first: boolean, last: boolean, lastInRun: boolean}} how
   */
  #draw(entry, message, how) {
    const drawn = JSON.stringify([message, how]);
    if (entry.drawn === drawn) return;
    const { item } = entry;
    const had = item !== document.activeElement && item.contains(document.activeElement);
    drawMessage(item, message, how);
    entry.about.textContent = description(message);
    entry.drawn = drawn;
    if (had && !item.contains(document.activeElement)) item.focus({ preventScroll: true });
    item.classList.toggle('msg--new', message === this.#arriving);
    this.#hooks.drawn(item);
  }

  /** Takes what is drawn of a message away. @param {Message} message */
  #undraw(message) {
    const entry = this.#entries.get(message.id);
    if (!entry) return;
    if (entry.item.contains(document.activeElement)) this.#places.scroll.focus({ preventScroll: true });
    this.#hooks.dropped(entry.item);
    entry.item.remove();
    entry.about.remove();
    entry.day?.remove();
    if (message.id === this.#divided) this.#divider.remove();
    this.#entries.delete(message.id);
  }

  /** Changes the list without moving what the person reads. @param {() => void} change */
  #keepPlace(change) {
    const { scroll } = this.#places;
    const top = topOf(scroll);
    let kept = null;
    for (let index = this.#from; index < this.#to && !kept; index += 1) {
      const item = this.#entries.get(this.#all[index].id)?.item;
      if (item && item.getBoundingClientRect().bottom > top) kept = item;
    }
    const was = kept ? topOf(kept) : 0;
    change();
    if (kept?.isConnected) scroll.scrollTop += topOf(kept) - was;
  }

  /** Draws another window. @param {number} first @param {number} end */
  #moveTo(first, end) {
    const { log } = this.#places;
    const begin = Math.max(0, first);
    const stop = Math.min(this.#all.length, end);
    // What is drawn now was there before: it is not announced as new.
    log.setAttribute('aria-busy', 'true');
    for (let index = this.#from; index < this.#to; index += 1) {
      if (index < begin || index >= stop) this.#undraw(this.#all[index]);
    }
    this.#from = begin;
    this.#to = stop;
    for (let index = this.#to - 1; index >= this.#from; index -= 1) this.#sync(index);
    requestAnimationFrame(() => log.removeAttribute('aria-busy'));
  }

  /** @param {Message} message */
  #insert(message) {
    const index = this.#place(message);
    const end = this.#to === this.#all.length;
    this.#all.splice(index, 0, message);
    if (index < this.#from) {
      this.#from += 1;
      this.#to += 1;
    } else if (index < this.#to || (index === this.#to && end)) {
      this.#to += 1;
      this.#arriving = this.#loaded ? message : null;
      this.#sync(index);
      this.#arriving = null;
    }
    this.#sync(index - 1);
    this.#sync(index + 1);
  }

  /** @param {number} index */
  #take(index) {
    this.#undraw(this.#all[index]);
    this.#all.splice(index, 1);
    if (index < this.#from) this.#from -= 1;
    if (index < this.#to) this.#to -= 1;
    this.#sync(index - 1);
    this.#sync(index);
  }
}
