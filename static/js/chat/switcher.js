/** Ctrl+K: go to a chat by typing a part of its name. */
import { h, input, slot } from '../lib/dom.js';
import { composing } from '../lib/text.js';
import { openDialog } from './people.js';
import { fits, rowParts } from './list.js';

/**
 * @param {import('../types.js').Context} context
 * @param {(chat: string) => void} open
 */
export function switcher({ state }, open) {
  if (document.querySelector('dialog[open]')) return;
  const dialog = openDialog('view-switcher');
  const field = input(dialog, '#switcher-text');
  const list = slot(dialog, 'list');
  let at = 0;

  const draw = () => {
    const chats = state.chats.filter((chat) => fits(chat, field.value)).slice(0, 9);
    at = Math.min(at, Math.max(0, chats.length - 1));
    list.replaceChildren(
      ...chats.map((chat, index) => {
        const row = h('li', {
          class: 'chat-row',
          role: 'option',
          id: `switch-${index}`,
          'aria-selected': index === at ? 'true' : 'false',
          'data-testid': 'switcher-row',
          'data-chat': chat.chat,
          onclick: () => go(chat.chat),
        });
        row.append(...rowParts(chat));
        return row;
      }),
    );
    slot(dialog, 'none').hidden = chats.length > 0;
    list.children[at]?.scrollIntoView({ block: 'nearest' });
    if (chats.length > 0) field.setAttribute('aria-activedescendant', `switch-${at}`);
    else field.removeAttribute('aria-activedescendant');
  };
  /** @param {string} chat */
  const go = (chat) => {
    dialog.close();
    open(chat);
  };
  field.addEventListener('input', () => {
    at = 0;
    draw();
  });
  field.addEventListener('keydown', (event) => {
    if (composing(event)) return;
    const rows = /** @type {HTMLElement[]} */ ([...list.children]);
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      at = (at + (event.key === 'ArrowDown' ? 1 : -1) + rows.length) % Math.max(1, rows.length);
      draw();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      const chat = rows[at]?.dataset.chat;
      if (chat) go(chat);
    }
  });
  draw();
  field.focus();
}
