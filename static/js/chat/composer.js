/** Writing: Enter sends, Shift+Enter breaks the line, ↑ in an empty field edits the last own message. */
import { say, slot } from '../lib/dom.js';
import { Subscriptions } from '../lib/state.js';
import { composing } from '../lib/text.js';
import { burnKey, drawChip, timerMenu } from './timers.js';

/**
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('./timers.js').Timer} Timer
 */

/** What was typed and not sent, by chat, as the core has it for all tabs. @type {Map<string, string>} */
const drafts = new Map();
/** Names this page's own drafts. */
const PAGE = crypto.randomUUID();
/** Rules chosen here that the core has not told of yet, by chat. @type {Map<string, Timer>} */
const chosen = new Map();

/** @param {string} chat */
export const draftOf = (chat) => drafts.get(chat) ?? '';

/** Whether something was typed and not sent. */
export const hasDrafts = () => [...drafts.values()].some((text) => text.trim() !== '');

/**
 * Takes what another tab typed, or what stood there before this page was loaded; false where this page typed it.
 * @param {import('../types.js').DraftEvent} draft
 */
export function takeDraft({ chat, text, tag }) {
  if (tag === PAGE) return false;
  if (text === '') drafts.delete(chat);
  else drafts.set(chat, text);
  return true;
}

/** Forgets everything typed; on lock and sign-out. */
export function forgetDrafts() {
  drafts.clear();
  chosen.clear();
}

/** Whether a text area grows with its text by itself. */
const GROWS = CSS.supports('field-sizing', 'content');
/** What stands where half a character was. */
const BROKEN = 'Part of a character cannot be sent; a � is in its place. Look at the text, then send it.';

/**
 * The field keeps its text until the core has taken it: what is refused stays where it was typed.
 * @param {import('../types.js').Context} context
 * @param {string} id the chat
 * @param {HTMLElement} form
 * @param {{lastOwn: () => Message | undefined, sent: () => void}} hooks
 */
export function composer({ state, send }, id, form, hooks) {
  const field = /** @type {HTMLTextAreaElement} */ (slot(form, 'text'));
  const chip = /** @type {HTMLElement} */ (form.querySelector('[data-action="timer"]'));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('.composer__send'));
  const editing = slot(form, 'editing');
  const refused = slot(form, 'refused');
  const subscriptions = new Subscriptions();
  /** @type {Message | null} */
  let edited = null;
  /** What the core was given and has not answered yet. @type {{text: string, tag: string, edits: string} | null} */
  let given = null;
  let gone = false;

  /** @returns {Timer} */
  const timer = () => {
    const chat = state.chat(id);
    return (
      chosen.get(id) ?? { burn: chat?.burn ?? state.settings.burn, life: chat?.life_secs ?? state.settings.life_secs }
    );
  };

  function size() {
    if (!GROWS) {
      field.style.blockSize = 'auto';
      field.style.blockSize = `${Math.min(field.scrollHeight, 180)}px`;
    }
    button.disabled = field.value.trim() === '';
  }

  /** @param {string} text */
  function fill(text) {
    field.value = text;
    size();
  }

  /** @param {string} text */
  function keepDraft(text) {
    if (text === draftOf(id)) return;
    if (text === '') drafts.delete(id);
    else drafts.set(id, text);
    send({ c: 'draft', chat: id, text, tag: PAGE });
  }

  function stopEditing() {
    edited = null;
    editing.hidden = true;
    say(refused, '');
    fill(draftOf(id));
  }

  /** @param {Message} message */
  function edit(message) {
    edited = message;
    editing.hidden = false;
    say(refused, '');
    fill(message.text ?? '');
    field.focus();
  }

  function submit() {
    const text = field.value;
    if (given || text.trim() === '') return;
    if (!text.isWellFormed()) {
      fill(text.toWellFormed());
      if (!edited) keepDraft(field.value);
      say(refused, BROKEN);
      return;
    }
    if (edited && text === edited.text) {
      stopEditing();
      return;
    }
    given = { text, tag: crypto.randomUUID(), edits: edited?.id ?? '' };
    if (edited) {
      send({ c: 'edit', chat: id, message: edited.id, text });
      return;
    }
    const { burn, life } = timer();
    send({ c: 'send', chat: id, text, burn, life_secs: life, tag: given.tag });
  }

  /** The core has it. What was typed meanwhile stays. */
  function taken() {
    const { text, edits } = /** @type {{text: string, edits: string}} */ (given);
    given = null;
    if (edits === '' && draftOf(id).startsWith(text)) keepDraft(draftOf(id).slice(text.length));
    if (gone) {
      subscriptions.stop();
      return;
    }
    say(refused, '');
    if (edits === '' && !edited) fill(draftOf(id));
    else if (edits !== '' && edited?.id === edits && field.value === text) stopEditing();
    hooks.sent();
  }

  subscriptions.add(
    state.on('message', ({ chat, message }) => {
      if (!given || chat !== id) return;
      if (given.edits === '' ? message.tag === given.tag : message.id === given.edits && message.text === given.text)
        taken();
    }),
    state.on('failed', (failed) => {
      if (!given || failed.chat !== id) return false;
      const mine =
        given.edits === '' ? failed.tag === given.tag : failed.during === 'edit' && failed.message === given.edits;
      if (!mine) return false;
      given = null;
      if (!gone) say(refused, failed.text);
      else subscriptions.stop();
      return !gone;
    }),
    state.on('draft', ({ chat }) => {
      if (chat === id && !edited && !gone) fill(draftOf(id));
    }),
    // A core that started anew has forgotten what it was given.
    state.on('state', () => {
      given = null;
      if (gone) subscriptions.stop();
    }),
  );

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
    field.focus();
  });
  field.addEventListener('input', () => {
    size();
    say(refused, '');
    if (edited) return;
    keepDraft(field.value);
    if (field.value !== '') send({ c: 'typing', chat: id });
  });
  field.addEventListener('keydown', (event) => {
    if (composing(event)) return;
    if (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      submit();
    } else if (event.key === 'ArrowUp' && field.value === '' && !event.altKey && !event.shiftKey) {
      const last = hooks.lastOwn();
      if (last) {
        event.preventDefault();
        edit(last);
      }
    } else if (event.key === 'Escape' && edited) {
      event.preventDefault();
      event.stopPropagation();
      stopEditing();
    }
  });
  form.addEventListener('click', (event) => {
    const action = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-action]'))
      ?.dataset.action;
    if (action === 'stop-editing') {
      stopEditing();
      field.focus();
    } else if (action === 'timer') {
      timerMenu(chip, timer(), (next) => {
        chosen.set(id, next);
        drawChip(chip, next);
        send({ c: 'set_chat', chat: id, burn: next.burn, life_secs: next.life });
      });
    }
  });

  fill(draftOf(id));
  drawChip(chip, timer());
  return {
    edit,
    focus: () => field.focus({ preventScroll: true }),
    update: () => {
      const [chat, wish] = [state.chat(id), chosen.get(id)];
      if (chat?.burn && wish && burnKey(chat.burn) === burnKey(wish.burn) && chat.life_secs === wish.life)
        chosen.delete(id);
      drawChip(chip, timer());
    },
    stop: () => {
      gone = true;
      if (!given) subscriptions.stop();
    },
  };
}
