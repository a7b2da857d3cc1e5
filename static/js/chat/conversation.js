/** One chat: its header, its messages and the composer. */
import { avatar, cloneAll, h, icon, slot } from '../lib/dom.js';
import { confirmDialog } from '../lib/dialog.js';
import { connectionText } from '../lib/format.js';
import { View } from '../lib/part.js';
import { popover } from '../lib/popover.js';
import { copy } from '../lib/say.js';
import { MessageArrows } from './arrows.js';
import { Composer } from './composer.js';
import { MessageLog } from './log.js';
import { tickBurns } from './message.js';
import { ShownMessages } from './shown.js';
import { keyNotices } from './trust.js';

/**
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('../types.js').Context} Context
 * @typedef {import('../lib/part.js').Timer} Timer
 */

/** How long the line over what was unread stays once that was read, milliseconds. */
const LINE_STAYS = 8000;
/** How often countdowns move, milliseconds. */
const TICK = 250;

/** @param {HTMLElement} target */
const messageOf = (target) => /** @type {HTMLElement} */ (target.closest('[data-id]')).dataset.id ?? '';

export class Conversation extends View {
  #id;
  #typing;
  #log;
  #shown;
  #arrows;
  #writer;
  /** When each timer was first seen, by message. @type {Map<string, number>} */
  #burning = new Map();
  #below = 0;
  #typingUntil = 0;
  #focusLost = false;
  #drawnHeader = '';
  #drawnNotices = '';
  /** Whether the last message was in sight; a growing composer or a keyboard on a phone must not move it away. */
  #end = true;
  /** @type {Timer | undefined} */
  #lineTimer;
  /** @type {Timer | undefined} */
  #burnTimer;

  /**
   * @param {Context} context
   * @param {string} id the chat
   * @param {{back: () => void, details: () => void}} then
   * @param {import('../lib/part.js').Part} owner
   */
  constructor(context, id, then, owner) {
    super(context, h('div', { class: 'talk' }, cloneAll('view-conversation')), owner);
    this.#id = id;
    const part = (/** @type {string} */ name) => slot(this.node, name);
    const scroll = part('scroll');
    this.#typing = part('typing');
    this.#log = new MessageLog(
      { scroll, log: part('log'), list: part('messages'), times: part('times'), earlier: part('earlier') },
      {
        name: () => this.#name,
        known: () => this.#chat?.relation === 'contact',
        added: (item) => this.#shown.observe(item),
        drawn: (item) => this.#arrows.drawn(item),
        dropped: (item) => {
          this.#shown.unobserve(item);
          this.#arrows.dropped(item);
        },
      },
    );
    const tell = {
      shown: (/** @type {string[]} */ ids) => this.send({ c: 'shown', chat: id, messages: ids }),
      reveal: (/** @type {string} */ message) => this.send({ c: 'reveal', chat: id, message }),
    };
    this.#shown = new ShownMessages(scroll, (message) => this.#log.message(message), tell, this);
    this.#arrows = new MessageArrows(scroll, this.#log, this);
    const hooks = { lastOwn: () => this.#lastOwn(), sent: () => this.#sent() };
    this.#writer = new Composer(context, id, part('composer'), hooks, this);
    this.#act(then);
    this.#watch(scroll);
    this.#hear();
    this.#header();
    this.#connection();
    this.send({ c: 'open_chat', chat: id });
  }

  /** @override */
  focus() {
    this.#writer.focus();
  }

  /** On leaving, whatever burns on reading and was read burns. @override */
  stop() {
    if (this.ended) return;
    const read = this.#log.all.filter((one) => !one.mine && one.burn === 'on_read' && one.text !== null);
    if (read.length > 0) this.send({ c: 'hide', chat: this.#id, messages: read.map((message) => message.id) });
    super.stop();
  }

  get #chat() {
    return this.state.chat(this.#id);
  }

  get #name() {
    return this.#chat?.alias || this.#chat?.handle || '';
  }

  /** @param {{back: () => void, details: () => void}} then */
  #act(then) {
    const chat = this.#id;
    this.actions(this.node, {
      back: then.back,
      details: then.details,
      'to-new': () => {
        this.#log.toEnd();
        this.#writer.focus();
      },
      'keys-seen': () => this.send({ c: 'acknowledge_keys', chat }),
      'accept-key': () => this.send({ c: 'accept_changed_key', chat }),
      reveal: (target) => {
        const message = messageOf(target);
        this.#shown.revealed(message);
        this.send({ c: 'reveal', chat, message });
      },
      hide: (target) => this.send({ c: 'hide', chat, messages: [messageOf(target)] }),
      again: (target) => this.send({ c: 'send_again', chat, message: messageOf(target) }),
      tools: (target) => this.#tools(target, /** @type {Message} */ (this.#log.message(messageOf(target)))),
    });
  }

  /** @param {HTMLElement} scroll */
  #watch(scroll) {
    const attention = () => {
      this.#focusLost = !document.hasFocus();
      if (this.#focusLost) this.#log.undivide();
      this.#shown.mark();
    };
    this.listen(window, 'focus', attention);
    this.listen(window, 'blur', attention);
    this.listen(document, 'visibilitychange', attention);
    const scrolled = () => {
      this.#end = this.#log.atEnd;
      this.#log.grow();
      this.#countBelow();
    };
    this.listen(scroll, 'scroll', scrolled, { passive: true });
    const resizing = new ResizeObserver(() => {
      if (this.#end) this.#log.toEnd();
    });
    resizing.observe(scroll);
    this.atEnd(() => resizing.disconnect());
  }

  #hear() {
    const id = this.#id;
    this.on('chats', () => this.#header());
    this.on('settings', () => this.#header());
    this.on('connection', () => this.#connection());
    this.on('conversation', (event) => {
      if (event.chat !== id) return;
      this.#log.set(event.messages);
      this.#end = this.#log.atEnd;
      this.#burn();
    });
    this.on('message', ({ chat, message }) => {
      if (chat === id && this.#log.loaded) this.#message(message);
    });
    this.on('message_removed', (event) => {
      if (event.chat !== id) return;
      this.#log.remove(event.message);
      this.#endLine();
    });
    this.on('typing', (event) => {
      if (event.chat !== id) return;
      this.#typingUntil = event.until_ms;
      this.#showTyping();
    });
    // Why a message of this chat was not sent stands beside it.
    this.on('failed', ({ chat, during, message }) => {
      return chat === id && during === 'send' && this.#log.message(message ?? '') !== undefined;
    });
  }

  #lastOwn() {
    const gone = ['failed', 'vanished', 'expired'];
    return this.#log.all.findLast((one) => one.mine && one.text !== null && !gone.includes(one.state));
  }

  #sent() {
    this.#log.undivide();
    requestAnimationFrame(() => this.#log.toEnd());
  }

  /** The line over what was unread goes a while after all of that was read. */
  #endLine() {
    this.cancel(this.#lineTimer);
    this.#lineTimer = this.after(LINE_STAYS, () => this.#log.undivide());
  }

  #burn() {
    this.cancel(this.#burnTimer);
    const list = slot(this.node, 'messages');
    if (tickBurns(list, this.#burning)) this.#burnTimer = this.after(TICK, () => this.#burn());
  }

  #header() {
    const row = this.#chat;
    if (!row) return;
    this.#writer.update();
    const typed = this.#typingUntil > Date.now();
    const drawn = JSON.stringify([{ ...row, preview: '', last_ms: 0, unread: 0 }, typed]);
    if (drawn === this.#drawnHeader) return;
    this.#drawnHeader = drawn;
    this.#log.refresh();
    const { node } = this;
    const name = this.#name;
    slot(node, 'avatar').replaceChildren(avatar(this.#id, name, 'sm'));
    slot(node, 'name').textContent = name;
    slot(node, 'heading').textContent = `Conversation with ${name}`;
    const sub = typed ? 'typing…' : relationText(row);
    slot(node, 'sub').textContent = sub;
    slot(node, 'verified').replaceChildren(...verifiedMark(row, sub));
    const notices = JSON.stringify([row.key_changed, row.key_changed_back, name]);
    // A press on one of their buttons may be under way.
    if (notices !== this.#drawnNotices) slot(node, 'notices').replaceChildren(...keyNotices(row, name));
    this.#drawnNotices = notices;
  }

  /** Says that the server is away; where only this pane fits nothing else does. */
  #connection() {
    const { connection } = this.state;
    const away = !connection.online && (connection.retry_at_ms || connection.barred);
    const text = away ? `${connectionText(connection)}. What you write is sent as soon as that is over.` : '';
    const line = slot(this.node, 'connection');
    if (line.textContent !== text)
      line.replaceChildren(...(text ? [icon('alert', 'icon--sm'), h('span', {}, text)] : []));
  }

  #showTyping() {
    const now = this.#typingUntil > Date.now();
    const changed = this.#typing.hidden === now;
    const end = this.#log.atEnd;
    this.#typing.hidden = !now;
    slot(this.node, 'typing-text').textContent = now ? `${this.#name} is typing` : '';
    if (changed) {
      this.#header();
      if (now && end) this.#log.toEnd();
    }
    if (now) this.after(this.#typingUntil - Date.now() + 20, () => this.#showTyping());
  }

  #countBelow() {
    if (this.#log.atEnd) this.#below = 0;
    const toNew = /** @type {HTMLElement} */ (this.node.querySelector('[data-action="to-new"]'));
    toNew.hidden = this.#below === 0;
    toNew.replaceChildren(icon('down', 'icon--sm'), `${this.#below} new`);
  }

  /** A message that is new or has changed. @param {Message} message */
  #message(message) {
    const fresh = this.#log.message(message.id) === undefined;
    // Whoever has just scrolled up is heard of in the next frame only.
    this.#end &&= this.#log.atEnd;
    // What was written here goes to the end by itself; what another session of one's own said moves nothing.
    if (fresh && !message.mine) {
      if (this.#focusLost) this.#log.divide(message.id);
      if (!this.#end) this.#below += 1;
    }
    this.#log.put(message, !this.#end);
    if (this.#end) this.#log.toEnd();
    if (fresh) this.#countBelow();
    // Read, or gone before it was.
    if (!message.mine && message.state !== 'unread') this.#endLine();
    if (message.burns_ms !== null) this.#burn();
    this.#shown.mark();
  }

  /** @param {HTMLElement} anchor @param {Message} message */
  #tools(anchor, message) {
    const { text, mine, sealed, state } = message;
    /** @type {[string, string, string, () => void][]} icon, words, test id, deed */
    const entries = [];
    if (text !== null) entries.push(['copy', 'Copy the text', 'copy-message', () => void copy(text, 'Text')]);
    if (mine && text !== null && state !== 'failed') {
      entries.push(['edit', 'Edit', 'edit-message', () => this.#writer.edit(message)]);
    }
    const here = sealed ? 'Delete unread' : 'Delete here';
    entries.push(['trash', here, 'delete-here', () => this.#deleteHere(message)]);
    if (mine) entries.push(['trash', 'Delete for both', 'delete-everywhere', () => this.#deleteForBoth(message)]);
    popover(anchor, 'below', (menu) => {
      const items = entries.map(([mark, words, testid, run]) => {
        const danger = mark === 'trash' ? ' menu__item--danger' : '';
        const how = { class: `menu__item${danger}`, type: 'button', role: 'menuitem', 'data-testid': testid };
        return menu.listen(h('button', how, icon(mark), words), 'click', run);
      });
      return h(
        'div',
        { class: 'menu', role: 'menu', 'aria-label': 'Message', 'data-testid': 'menu-message' },
        ...items,
      );
    });
  }

  /** @param {Message} message */
  #deleteHere(message) {
    const remove = () => this.send({ c: 'delete', chat: this.#id, message: message.id, everywhere: false });
    if (message.sealed) {
      const text =
        'It is wiped here and at the server, and nobody can read it any more. Its sender is not told that it was read.';
      confirmDialog({ title: 'Delete it unread?', text, yes: 'Delete unread' }, remove);
      return;
    }
    const name = this.#name;
    const there = message.mine ? `${name} keeps it until its timer ends.` : `${name} is not told.`;
    const text = `It is wiped in this browser, and nothing brings it back. ${there}`;
    confirmDialog({ title: 'Delete it here?', text, yes: 'Delete here' }, remove);
  }

  /** @param {Message} message */
  #deleteForBoth(message) {
    confirmDialog(
      {
        title: 'Delete for both?',
        text: `The message is wiped here and in your other browsers. ${this.#name}’s browser is asked to wipe it too, and shows that something was taken back. What was read, copied or photographed before then cannot be taken back.`,
        yes: 'Delete for both',
      },
      () => this.send({ c: 'delete', chat: this.#id, message: message.id, everywhere: true }),
    );
  }
}

/** @param {import('../types.js').Chat} row */
function relationText(row) {
  if (row.relation === 'requested') return 'Has not answered yet';
  if (row.verified) return 'Verified';
  return row.linked ? 'Keys as in the invite link' : 'Not verified. Compare the digits';
}

/** The line below says it already, unless it says something else just now. @param {import('../types.js').Chat} row @param {string} sub */
function verifiedMark(row, sub) {
  if (!row.verified) return [];
  const words = sub !== 'Verified' && h('span', { class: 'visually-hidden' }, 'Verified');
  return [h('span', { 'data-testid': 'verified-mark' }, icon('verified', 'icon--sm'), words)];
}
