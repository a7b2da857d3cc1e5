/** Writing: Enter sends, Shift+Enter breaks the line, ↑ in an empty field edits the last own message. */
import { slot } from '../lib/dom.js';
import { drawChip, timerMenu } from './timers.js';

/**
 * @typedef {import('../types.js').Message} Message
 * @typedef {import('./timers.js').Timer} Timer
 */

/** What was typed and not sent, by chat; in this tab's memory only. @type {Map<string, string>} */
const drafts = new Map();
/** Rules chosen for this visit, by chat. @type {Map<string, Timer>} */
const chosen = new Map();

/** @param {string} chat */
export const draftOf = (chat) => drafts.get(chat) ?? '';

/** Forgets everything typed; on lock and sign-out. */
export function forgetDrafts() {
  drafts.clear();
  chosen.clear();
}

/**
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
  /** @type {Message | null} */
  let edited = null;

  /** @returns {Timer} */
  const timer = () => {
    const chat = state.chat(id);
    return chosen.get(id) ?? { burn: chat?.burn ?? state.settings.burn, life: chat?.life_secs ?? state.settings.life_secs };
  };

  function size() {
    field.style.blockSize = 'auto';
    field.style.blockSize = `${Math.min(field.scrollHeight, 180)}px`;
    button.disabled = field.value.trim() === '';
  }

  /** @param {string} text */
  function fill(text) {
    field.value = text;
    size();
  }

  function stopEditing() {
    edited = null;
    editing.hidden = true;
    fill(drafts.get(id) ?? '');
  }

  /** @param {Message} message */
  function edit(message) {
    edited = message;
    editing.hidden = false;
    fill(message.text ?? '');
    field.focus();
  }

  function submit() {
    const text = field.value.trim();
    if (text === '') return;
    if (edited) {
      if (text !== edited.text) send({ c: 'edit', chat: id, message: edited.id, text });
      stopEditing();
      return;
    }
    const { burn, life } = timer();
    send({ c: 'send', chat: id, text, burn, life_secs: life });
    drafts.delete(id);
    fill('');
    hooks.sent();
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
    field.focus();
  });
  field.addEventListener('input', () => {
    size();
    if (edited) return;
    if (field.value === '') drafts.delete(id);
    else drafts.set(id, field.value);
    if (field.value !== '') send({ c: 'typing', chat: id });
  });
  field.addEventListener('keydown', (event) => {
    if (event.isComposing) return;
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
    const action = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-action]'))?.dataset.action;
    if (action === 'stop-editing') {
      stopEditing();
      field.focus();
    } else if (action === 'timer') {
      const chat = state.chat(id);
      timerMenu(chip, timer(), chat?.burn !== null || chat?.life_secs !== null, (next, keep) => {
        chosen.set(id, next);
        drawChip(chip, next);
        if (keep) send({ c: 'set_chat', chat: id, burn: next.burn, life_secs: next.life });
      });
    }
  });

  fill(drafts.get(id) ?? '');
  drawChip(chip, timer());
  return {
    edit,
    focus: () => field.focus({ preventScroll: true }),
    update: () => { drawChip(chip, timer()); },
    stop: () => {},
  };
}
