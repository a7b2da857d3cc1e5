/** Keyboard shortcuts, none that browsers keep for themselves; Ctrl+K goes to a chat by a part of its name. */
import { h, input, slot } from '../lib/dom.js';
import { Dialog } from '../lib/dialog.js';
import { composing } from '../lib/text.js';
import { fits, rowParts } from './list.js';

/**
 * @param {import('../lib/part.js').Part} owner
 * @param {{switcher: () => void, shortcuts: () => void, step: (by: number, unread: boolean) => void, escape: () => void}} run
 */
export function shortcuts(owner, run) {
  owner.listen(window, 'keydown', (event) => {
    const mod = event.ctrlKey || event.metaKey;
    if (mod && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      run.switcher();
    } else if (mod && !event.altKey && event.key === '/') {
      event.preventDefault();
      run.shortcuts();
    } else if (event.altKey && !mod && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      run.step(event.key === 'ArrowUp' ? -1 : 1, event.shiftKey);
    } else if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) {
      run.escape();
    }
  });
}

export class Switcher extends Dialog {
  #context;
  #open;
  #field;
  #list;
  #at = 0;

  /**
   * @param {import('../types.js').Context} context
   * @param {(chat: string) => void} open
   */
  constructor(context, open) {
    super('view-switcher');
    this.#context = context;
    this.#open = open;
    this.#field = input(this.node, '#switcher-text');
    this.#list = slot(this.node, 'list');
    this.actions(this.#list, { 'switch-to': (row) => this.#go(row.dataset.chat) });
    this.listen(this.#field, 'input', () => {
      this.#at = 0;
      this.#draw();
    });
    this.listen(this.#field, 'keydown', (event) => this.#key(event));
    this.#draw();
    this.#field.focus();
  }

  #draw() {
    const { state, drafts } = this.#context;
    const chats = state.chats.filter((chat) => fits(chat, this.#field.value)).slice(0, 9);
    this.#at = Math.min(this.#at, Math.max(0, chats.length - 1));
    const rows = chats.map((chat, index) => {
      const about = { 'data-testid': 'switcher-row', 'data-chat': chat.chat, 'data-action': 'switch-to' };
      const selected = String(index === this.#at);
      const row = { class: 'chat-row', role: 'option', id: `switch-${index}`, 'aria-selected': selected, ...about };
      return h('li', row, ...rowParts(chat, drafts.of(chat.chat)));
    });
    this.#list.replaceChildren(...rows);
    slot(this.node, 'none').hidden = chats.length > 0;
    this.#list.children[this.#at]?.scrollIntoView({ block: 'nearest' });
    if (chats.length > 0) this.#field.setAttribute('aria-activedescendant', `switch-${this.#at}`);
    else this.#field.removeAttribute('aria-activedescendant');
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (composing(event)) return;
    const rows = /** @type {HTMLElement[]} */ ([...this.#list.children]);
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      this.#at = (this.#at + (event.key === 'ArrowDown' ? 1 : -1) + rows.length) % Math.max(1, rows.length);
      this.#draw();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      this.#go(rows[this.#at]?.dataset.chat);
    }
  }

  /** @param {string | undefined} chat */
  #go(chat) {
    if (!chat) return;
    this.close();
    this.#open(chat);
  }
}
