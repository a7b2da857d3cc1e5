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

/**
 * @param {{scroll: HTMLElement, log: HTMLElement, list: HTMLElement, times: HTMLElement, earlier: HTMLElement}} parts
 * @param {{name: () => string, known: () => boolean, added: (item: HTMLLIElement) => void, drawn: (item: HTMLLIElement) => void, dropped: (item: HTMLLIElement) => void}} hooks
 */
export function messageLog({ scroll, log, list, times, earlier }, hooks) {
  /** All of them, in order. @type {Message[]} */
  let all = [];
  /** @type {Map<string, Message>} */
  const byId = new Map();
  /** What is drawn: `all` from here to there. */
  let from = 0;
  let to = 0;
  /** @type {Map<string, {item: HTMLLIElement, about: HTMLElement, day: HTMLElement | null, drawn: string}>} */
  const entries = new Map();
  const divider = h('li', { class: 'unread-line', 'data-testid': 'unread-line' }, 'Unread');
  let divided = '';
  let loaded = false;
  /** Whether messages before the first that is here are known to be missing. */
  let missed = false;
  /** The message that has just come, while it is drawn. @type {Message | null} */
  let arriving = null;

  const atEnd = () => to === all.length && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;

  /** What came before the first that is here is told above all of them. @param {Message[]} messages */
  function noteEarlier(messages) {
    missed ||= messages.some((message) => message.warnings?.includes('first'));
    // Where nothing has come yet, nobody can say whether there was anything.
    const perhaps = all.length === 0 && hooks.known();
    const text = missed
      ? ' Earlier messages of this conversation are not in this tab.'
      : perhaps
        ? ' If there were earlier messages of this conversation, they are not in this tab.'
        : '';
    if (earlier.textContent !== text) earlier.textContent = text;
    earlier.hidden = text === '';
  }

  /** Where a message stands, or would. @param {Message} message */
  function place(message) {
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (order(all[middle], message) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The first node of what is drawn at `index`. @param {number} index */
  function head(index) {
    const message = index < to ? all[index] : undefined;
    const entry = message && entries.get(message.id);
    return !entry ? null : (entry.day ?? (message.id === divided ? divider : entry.item));
  }

  /** Draws what stands at `index`, if that is in the window. @param {number} index */
  function sync(index) {
    if (index < from || index >= to) return;
    const message = all[index];
    const before = all[index - 1];
    const after = all[index + 1];
    let entry = entries.get(message.id);
    if (!entry) {
      entry = {
        item: h('li', { tabindex: -1 }),
        about: h('span', { id: `about-${message.id}` }),
        day: null,
        drawn: '',
      };
      entries.set(message.id, entry);
      times.append(entry.about);
      entry.item.dataset.id = message.id;
      list.insertBefore(entry.item, head(index + 1));
      hooks.added(entry.item);
    }
    const { item } = entry;
    const isDivided = message.id === divided;
    const first = isDivided || !joined(before, message);
    const last = after?.id === divided || !joined(message, after);
    // A run of own messages in the same state says it once, under its last.
    const lastInRun = !(
      after?.mine &&
      after.state === message.state &&
      after.by_server === message.by_server &&
      after.taken === message.taken
    );
    const drawn = JSON.stringify([message, first, last, lastInRun, hooks.name()]);
    if (entry.drawn !== drawn) {
      const had = item !== document.activeElement && item.contains(document.activeElement);
      drawMessage(item, message, { name: hooks.name(), first, last, lastInRun });
      entry.about.textContent = description(message);
      entry.drawn = drawn;
      if (had && !item.contains(document.activeElement)) item.focus({ preventScroll: true });
      item.classList.toggle('msg--new', message === arriving);
      hooks.drawn(item);
    }
    if (index === from || day(before) !== day(message)) {
      entry.day ??= h('li', { class: 'day' });
      const name = dayName(message.seen_ms);
      if (entry.day.textContent !== name) entry.day.textContent = name;
    } else {
      entry.day?.remove();
      entry.day = null;
    }
    if (isDivided && divider.nextSibling !== item) list.insertBefore(divider, item);
    const next = isDivided ? divider : item;
    if (entry.day && entry.day.nextSibling !== next) list.insertBefore(entry.day, next);
  }

  /** Takes what is drawn of a message away. @param {Message} message */
  function undraw(message) {
    const entry = entries.get(message.id);
    if (!entry) return;
    if (entry.item.contains(document.activeElement)) scroll.focus({ preventScroll: true });
    hooks.dropped(entry.item);
    entry.item.remove();
    entry.about.remove();
    entry.day?.remove();
    if (message.id === divided) divider.remove();
    entries.delete(message.id);
  }

  /** Changes the list without moving what the person reads. @param {() => void} change */
  function keepPlace(change) {
    const top = scroll.getBoundingClientRect().top;
    let kept = null;
    for (let index = from; index < to && !kept; index += 1) {
      const item = entries.get(all[index].id)?.item;
      if (item && item.getBoundingClientRect().bottom > top) kept = item;
    }
    const was = kept?.getBoundingClientRect().top ?? 0;
    change();
    if (kept?.isConnected) scroll.scrollTop += kept.getBoundingClientRect().top - was;
  }

  /** Draws another window. @param {number} first @param {number} end */
  function moveTo(first, end) {
    const begin = Math.max(0, first);
    const stop = Math.min(all.length, end);
    // What is drawn now was there before: it is not announced as new.
    log.setAttribute('aria-busy', 'true');
    for (let index = from; index < to; index += 1) if (index < begin || index >= stop) undraw(all[index]);
    from = begin;
    to = stop;
    for (let index = to - 1; index >= from; index -= 1) sync(index);
    requestAnimationFrame(() => log.removeAttribute('aria-busy'));
  }

  /** More of what is older or newer, when the person comes near the end of what is drawn. */
  function grow() {
    if (from > 0 && scroll.scrollTop < NEAR) keepPlace(() => moveTo(from - PAGE, Math.min(to, from - PAGE + MOST)));
    else if (to < all.length && scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR)
      keepPlace(() => moveTo(Math.max(from, to + PAGE - MOST), to + PAGE));
  }

  function toEnd() {
    if (to < all.length) moveTo(all.length - PAGE, all.length);
    scroll.scrollTop = scroll.scrollHeight;
  }

  /** @param {Message} message */
  function insert(message) {
    const index = place(message);
    const end = to === all.length;
    all.splice(index, 0, message);
    if (index < from) {
      from += 1;
      to += 1;
    } else if (index < to || (index === to && end)) {
      to += 1;
      arriving = loaded ? message : null;
      sync(index);
      arriving = null;
    }
    sync(index - 1);
    sync(index + 1);
  }

  /** @param {number} index */
  function take(index) {
    undraw(all[index]);
    all.splice(index, 1);
    if (index < from) from -= 1;
    if (index < to) to -= 1;
    sync(index - 1);
    sync(index);
  }

  return {
    atEnd,
    toEnd,
    grow,
    keepPlace,
    /** @param {string} id */
    message: (id) => byId.get(id),
    all: () => all,
    /** @param {string} id */
    item: (id) => entries.get(id)?.item,
    /** What is drawn, in order. */
    items: () => all.slice(from, to).map((message) => /** @type {HTMLLIElement} */ (entries.get(message.id)?.item)),
    /** Puts all of them in place of what was there; at first, shown from the first unread one. @param {Message[]} messages */
    set(messages) {
      const end = !loaded || atEnd();
      const first = all[from]?.id;
      for (const message of all.slice(from, to)) undraw(message);
      all = [...messages].sort(order);
      noteEarlier(all);
      byId.clear();
      for (const message of all) byId.set(message.id, message);
      from = 0;
      to = 0;
      if (!loaded) divided = all.find((message) => !message.mine && message.state === 'unread')?.id ?? '';
      const unread = loaded ? -1 : all.findIndex((message) => message.id === divided);
      const known = all.findIndex((message) => message.id === first);
      if (unread >= 0) moveTo(unread - PAGE / 2, unread + PAGE / 2);
      else if (end || known < 0) moveTo(all.length - PAGE, all.length);
      else moveTo(known, known + MOST);
      // High enough that what follows it is what is seen.
      if (unread >= 0)
        scroll.scrollTop +=
          divider.getBoundingClientRect().top - scroll.getBoundingClientRect().top - scroll.clientHeight / 4;
      else if (end) toEnd();
      loaded = true;
    },
    /** A new or changed message; true when it is new. @param {Message} message @param {boolean} stays whether the reading place is kept */
    put(message, stays) {
      const before = byId.get(message.id);
      const change = () => {
        byId.set(message.id, message);
        if (before && before.place === message.place) {
          const index = place(message);
          all[index] = message;
          sync(index);
          sync(index - 1);
          sync(index + 1);
          return;
        }
        if (before) take(place(before));
        insert(message);
      };
      if (stays) keepPlace(change);
      else change();
      noteEarlier([message]);
      if (!stays && to - from > MOST) moveTo(all.length - PAGE, all.length);
      return !before;
    },
    /** @param {string} id */
    remove(id) {
      const message = byId.get(id);
      if (!message) return;
      byId.delete(id);
      take(place(message));
      noteEarlier([]);
    },
    /** The first message that came while nobody looked. @param {string} id */
    divide(id) {
      if (divided === '') divided = id;
    },
    /** What the line stood before was read: it goes, and the next that comes unseen gets a new one. */
    undivide() {
      if (divided === '' || all.some((message) => !message.mine && message.state === 'unread')) return;
      const before = byId.get(divided);
      divided = '';
      keepPlace(() => {
        divider.remove();
        if (!before) return;
        const index = place(before);
        sync(index);
        sync(index - 1);
      });
    },
    /** Draws again whatever has changed around the messages, such as a name. */
    refresh() {
      for (let index = from; index < to; index += 1) sync(index);
    },
    loaded: () => loaded,
  };
}
