/** Writing: Enter sends, Shift+Enter breaks the line, ↑ in an empty field edits the last own message. */
import { say, slot } from '../lib/dom.js';
import { View } from '../lib/part.js';
import { composing } from '../lib/text.js';
import { burnKey, drawChip, timerMenu } from './timers.js';

/**
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('./timers.js').Timer} Timer
 */

/** Whether a text area grows with its text by itself. */
const GROWS = CSS.supports('field-sizing', 'content');
/** What stands where half a character was. */
const BROKEN = 'Part of a character cannot be sent; a � is in its place. Look at the text, then send it.';

/** The field keeps its text until the core has taken it: what is refused stays where it was typed. */
export class Composer extends View {
  #id;
  #hooks;
  #field;
  #chip;
  #button;
  #editing;
  #refused;
  /** @type {Message | null} */
  #edited = null;
  /** What the core was given. @type {ReturnType<import('./drafts.js').Drafts['give']> | null} */
  #given = null;

  /**
   * @param {import('../types.js').Context} context
   * @param {string} id the chat
   * @param {HTMLElement} form
   * @param {{lastOwn: () => Message | undefined, sent: () => void}} hooks
   * @param {import('../lib/part.js').Part} owner
   */
  constructor(context, id, form, hooks, owner) {
    super(context, form, owner);
    this.#id = id;
    this.#hooks = hooks;
    this.#field = /** @type {HTMLTextAreaElement} */ (slot(form, 'text'));
    this.#chip = /** @type {HTMLElement} */ (form.querySelector('[data-action="timer"]'));
    this.#button = /** @type {HTMLButtonElement} */ (form.querySelector('.composer__send'));
    this.#editing = slot(form, 'editing');
    this.#refused = slot(form, 'refused');
    this.listen(form, 'submit', (event) => {
      event.preventDefault();
      this.#submit();
      this.#field.focus();
    });
    this.listen(this.#field, 'input', () => this.#typed());
    this.listen(this.#field, 'keydown', (event) => this.#key(event));
    this.actions(form, {
      'stop-editing': () => {
        this.#stopEditing();
        this.#field.focus();
      },
      timer: () => timerMenu(this.#chip, this.#timer, (next) => this.#choose(next)),
    });
    this.on('draft', ({ chat }) => {
      if (chat === id && !this.#edited) this.#fill(this.#drafts.of(id));
    });
    this.atEnd(() => {
      if (this.#given) this.#given.hearer = null;
    });
    this.#fill(this.#drafts.of(id));
    drawChip(this.#chip, this.#timer);
  }

  get #drafts() {
    return this.context.drafts;
  }

  /** @returns {Timer} */
  get #timer() {
    const chat = this.state.chat(this.#id);
    const { burn, life_secs: life } = this.state.settings;
    return this.#drafts.chosen(this.#id) ?? { burn: chat?.burn ?? burn, life: chat?.life_secs ?? life };
  }

  /** @override */
  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Redraws what the core tells of the chat. */
  update() {
    const [chat, wish] = [this.state.chat(this.#id), this.#drafts.chosen(this.#id)];
    const told = chat?.burn && wish && burnKey(chat.burn) === burnKey(wish.burn) && chat.life_secs === wish.life;
    if (told) this.#drafts.choose(this.#id, null);
    drawChip(this.#chip, this.#timer);
  }

  /** @param {Message} message */
  edit(message) {
    this.#edited = message;
    this.#editing.hidden = false;
    say(this.#refused, '');
    this.#fill(message.text ?? '');
    this.#field.focus();
  }

  #stopEditing() {
    this.#edited = null;
    this.#editing.hidden = true;
    say(this.#refused, '');
    this.#fill(this.#drafts.of(this.#id));
  }

  /** @param {Timer} next */
  #choose(next) {
    this.#drafts.choose(this.#id, next);
    drawChip(this.#chip, next);
    this.send({ c: 'set_chat', chat: this.#id, burn: next.burn, life_secs: next.life });
  }

  #size() {
    const field = this.#field;
    if (!GROWS) {
      field.style.blockSize = 'auto';
      field.style.blockSize = `${Math.min(field.scrollHeight, 180)}px`;
    }
    this.#button.disabled = field.value.trim() === '';
  }

  /** @param {string} text */
  #fill(text) {
    this.#field.value = text;
    this.#size();
  }

  #typed() {
    this.#size();
    say(this.#refused, '');
    if (this.#edited) return;
    this.#drafts.keep(this.#id, this.#field.value);
    if (this.#field.value !== '') this.send({ c: 'typing', chat: this.#id });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (composing(event)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === 'ArrowUp' && this.#field.value === '' && !event.altKey && !event.shiftKey) {
      const last = this.#hooks.lastOwn();
      if (!last) return;
      event.preventDefault();
      this.edit(last);
    } else if (event.key === 'Escape' && this.#edited) {
      event.preventDefault();
      event.stopPropagation();
      this.#stopEditing();
    }
  }

  #submit() {
    const text = this.#field.value;
    const edited = this.#edited;
    if (this.#given?.open || text.trim() === '') return;
    if (!text.isWellFormed()) {
      this.#fill(text.toWellFormed());
      if (!edited) this.#drafts.keep(this.#id, this.#field.value);
      say(this.#refused, BROKEN);
      return;
    }
    if (edited && text === edited.text) {
      this.#stopEditing();
      return;
    }
    const [chat, tag, edits] = [this.#id, crypto.randomUUID(), edited?.id ?? ''];
    this.#given = this.#drafts.give(
      { chat, text, tag, edits },
      { taken: () => this.#taken(text, edits), failed: (why) => say(this.#refused, why) },
    );
    const { burn, life } = this.#timer;
    if (edited) this.send({ c: 'edit', chat, message: edits, text });
    else this.send({ c: 'send', chat, text, burn, life_secs: life, tag });
  }

  /** The core has it. @param {string} text @param {string} edits */
  #taken(text, edits) {
    say(this.#refused, '');
    if (edits === '' && !this.#edited) this.#fill(this.#drafts.of(this.#id));
    else if (edits !== '' && this.#edited?.id === edits && this.#field.value === text) this.#stopEditing();
    this.#hooks.sent();
  }
}
