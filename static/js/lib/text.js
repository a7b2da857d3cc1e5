/** Text that people wrote, as nodes: addresses become links, everything else stays what it is. */
import { h } from './dom.js';

/** An address up to white space, quotes, or a character that draws nothing and could disguise it. */
const ADDRESS = /https?:\/\/[^\s<>"'`\p{Cc}\p{Cf}]+/giu;
/** What ends a sentence rather than an address. */
const AFTER = /[.,;:!?…]+$/u;

/**
 * The address at the start of a piece of text: without what ends the sentence, and without a bracket that it
 * does not open itself.
 * @param {string} found
 */
function trimmed(found) {
  let text = found;
  for (;;) {
    const shorter = text.replace(AFTER, '');
    const open = (/** @type {string} */ mark) => shorter.split(mark).length;
    const last = shorter.at(-1);
    const bracket = (last === ')' && open(')') > open('(')) || (last === ']' && open(']') > open('['));
    const next = bracket ? shorter.slice(0, -1) : shorter;
    if (next === text) return text;
    text = next;
  }
}

/**
 * Whether an address may be followed: one that names somebody before its host only looks like another one.
 * @param {string} text
 */
function isPlain(text) {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.hostname !== '' && url.username === '' && url.password === '';
}

/**
 * The nodes of a text. A link shows the address as it is, opens beside this page and tells it nothing.
 * @param {string} text
 * @returns {(string | HTMLAnchorElement)[]}
 */
export function linked(text) {
  /** @type {(string | HTMLAnchorElement)[]} */
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    if (!isPlain(address)) continue;
    if (match.index > at) nodes.push(text.slice(at, match.index));
    nodes.push(
      h(
        'a',
        {
          href: address,
          target: '_blank',
          rel: 'noopener noreferrer',
          referrerpolicy: 'no-referrer',
          dir: 'ltr',
          title: 'Opens in a new tab',
          'data-testid': 'message-link',
        },
        address,
      ),
    );
    at = match.index + address.length;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

/**
 * Whether a key belongs to an input method that is composing. Safari ends the composition before it tells of the
 * key that ended it; then only the key code 229 says so.
 * @param {KeyboardEvent} event
 */
export const composing = (event) => event.isComposing || event.keyCode === 229;
