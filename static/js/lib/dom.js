/**
 * Small helpers over the DOM. Text only ever enters through text nodes and attributes.
 */

/**
 * Makes an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(
    .../** @type {(Node | string)[]} */ (
      children.filter((child) => child !== null && child !== undefined && child !== false)
    ),
  );
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/**
 * An icon of the sprite that every page carries.
 * @param {string} name
 * @param {string} [extra] further classes
 */
export function icon(name, extra = '') {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', `icon ${extra}`.trim());
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * A ring whose rest shrinks from `share` to nothing.
 * @param {number} share between 0 and 1
 */
export function ring(share) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'ring');
  svg.setAttribute('viewBox', '0 0 20 20');
  svg.setAttribute('aria-hidden', 'true');
  for (const part of ['ring__track', 'ring__rest']) {
    const circle = document.createElementNS(SVG, 'circle');
    circle.setAttribute('class', part);
    circle.setAttribute('cx', '10');
    circle.setAttribute('cy', '10');
    circle.setAttribute('r', '7');
    if (part === 'ring__rest') circle.setAttribute('stroke-dashoffset', String(44 * (1 - share)));
    svg.append(circle);
  }
  return svg;
}

/**
 * A copy of a `<template>`'s only element.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function clone(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (/** @type {HTMLElement} */ (template.content.firstElementChild).cloneNode(true));
}

/**
 * A copy of everything in a `<template>`.
 * @param {string} id
 * @returns {DocumentFragment}
 */
export function cloneAll(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {DocumentFragment} */ (template.content.cloneNode(true));
}

/**
 * The element that a template marks with `data-slot`.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {HTMLElement}
 */
export function slot(root, name) {
  return /** @type {HTMLElement} */ (root.querySelector(`[data-slot="${name}"]`));
}

/**
 * An input that a template marks with `data-slot` or an id.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLInputElement}
 */
export function input(root, selector) {
  return /** @type {HTMLInputElement} */ (root.querySelector(selector));
}

/**
 * Shows text or hides the element when there is none.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function say(element, text) {
  element.textContent = text;
  element.hidden = text === '';
}

/**
 * Makes the `children` of `parent` exactly these, moving as little as possible so that focus stays.
 * @param {Element} parent
 * @param {Element[]} wanted
 */
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const child of wanted) {
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
}

/**
 * Keeps a list in step with `items`, row by row: a row stays the same element while its item is there, so that focus
 * and a click under way stay too. It is drawn anew only where `from` differs from the last time.
 * @template Item
 * @template {Element} Row
 * @param {Element} list
 * @param {{key: (item: Item) => string, make: (key: string, item: Item) => Row, from: (item: Item) => unknown, draw: (row: Row, item: Item) => void}} how
 * @returns {(items: Item[]) => void}
 */
export function rowsOf(list, { key, make, from, draw }) {
  /** @type {Map<string, {row: Row, drawn: string}>} */
  const rows = new Map();
  return (items) => {
    const there = new Set();
    const wanted = items.map((item) => {
      const name = key(item);
      there.add(name);
      const known = rows.get(name) ?? { row: make(name, item), drawn: '' };
      rows.set(name, known);
      const drawn = JSON.stringify(from(item));
      if (known.drawn !== drawn) draw(known.row, item);
      known.drawn = drawn;
      return known.row;
    });
    arrange(list, wanted);
    for (const name of rows.keys()) if (!there.has(name)) rows.delete(name);
  };
}

/**
 * The round picture of a person: initials on one of twelve colours that their id chooses.
 * @param {string} id
 * @param {string} name
 * @param {'' | 'sm' | 'lg'} [size]
 */
export function avatar(id, name, size = '') {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter(Boolean);
  const letters =
    words.length > 1 ? [...words[0]][0] + [...words[words.length - 1]][0] : [...(words[0] ?? '?')].slice(0, 2).join('');
  const hue = [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 7) % 12;
  return h(
    'span',
    { class: size ? `avatar avatar--${size}` : 'avatar', 'data-hue': hue, 'aria-hidden': 'true' },
    letters.toUpperCase(),
  );
}

/**
 * An SVG document as an image; as an image it can neither run script nor load anything.
 * @param {string} svg
 * @param {string} alt
 */
export function picture(svg, alt) {
  const bytes = new TextEncoder().encode(svg);
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return h('img', { src: `data:image/svg+xml;base64,${btoa(binary)}`, alt });
}
