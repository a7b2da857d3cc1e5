/** One page for all views: it connects to the core, and draws what phase and path ask for. */
import { Link } from './core/link.js';
import { State } from './lib/state.js';
import * as router from './lib/router.js';
import { askBeforeLeaving } from './lib/leaving.js';
import { announce, badge, clearToasts, overDialogs, refusal, title, toast } from './lib/say.js';
import { h, icon } from './lib/dom.js';
import { lockView, recoverView, signInView } from './views/front.js';
import { inviteView, modeView, registerView } from './views/register.js';
import { clockView, restoredView } from './views/restored.js';
import { askAfterRecovery, asksAfterRecovery } from './views/recovered.js';
import { settingsView } from './views/settings.js';
import { chatView, forgetChat } from './chat/view.js';
import { forgetDrafts, hasDrafts, takeDraft } from './chat/composer.js';

/**
 * @typedef {import('./types.js').View} View
 * @typedef {import('./types.js').Context} Context
 */

router.takeFragment();
const state = new State();
const root = /** @type {HTMLElement} */ (document.getElementById('app'));
/** @type {{key: string, view: View} | null} */
let shown = null;
/** After a set-up the administrator chooses who may register, before anything else. */
let settingUp = location.pathname === '/setup' && !router.openedWith().includes('.');
/** The invite link that this page was opened with, until it was used. */
let invite = location.pathname === '/i' ? router.openedWith() : '';
/** What the server says of a restore, until the person has decided. @type {{at: number, text: string} | null} */
let restored = null;
/** How many tabs the core serves. */
let tabs = 1;
/** Clocks that disagree, until the person has decided. @type {{seen_at: number, server_at: number, device_at: number, text: string} | null} */
let clocks = null;
/** @type {Context} */
const context = { state, send: (command) => link.send(command), go: router.go, fragment: router.openedWith };

/** @returns {[string, string, (context: Context) => View]} */
function wanted() {
  const path = router.path();
  const asked = restored;
  if (asked) return ['restored', 'The server was restored', (given) => restoredView(given, asked)];
  const apart = clocks;
  if (apart) return ['clock', 'Which clock is right?', (given) => clockView(given, apart)];
  switch (state.state.state) {
    // Whoever is not signed in here may type before the core is there.
    case 'starting':
      return path === '/' && !maybeSignedIn() ? ['sign-in', 'Sign in', signInView] : ['starting', '', splash];
    case 'locked':
      return ['lock', 'Locked', lockView];
    case 'unlocked':
      if (settingUp && state.state.me?.role === 'admin')
        return [
          'mode',
          'Set up this server',
          (given) =>
            modeView(given, () => {
              settingUp = false;
              router.go('/chat', true);
              draw();
            }),
        ];
      if (path === '/settings') return ['settings', 'Settings', settingsView];
      return ['chat', '', chatView];
    default:
      if (path === '/register' || path === '/setup')
        return [path, path === '/setup' ? 'Set up this server' : 'Create an account', registerView];
      if (path === '/recover') return ['recover', 'Use your recovery key', recoverView];
      if (path === '/i') return ['invite', 'You are invited', inviteView];
      return ['sign-in', 'Sign in', signInView];
  }
}

const SIGNED_IN = 'signed-in';

/** Whether this browser was signed in when it was last here; the cookie itself no script can read. */
function maybeSignedIn() {
  try {
    return localStorage.getItem(SIGNED_IN) !== null;
  } catch {
    return false;
  }
}

/** @param {string} phase */
function noteSignedIn(phase) {
  try {
    if (phase === 'signed_out') localStorage.removeItem(SIGNED_IN);
    else if (phase !== 'starting') localStorage.setItem(SIGNED_IN, '1');
  } catch {
    // Then the next start waits for the core.
  }
}

/** @returns {View} */
function splash() {
  return { node: /** @type {HTMLElement} */ (root.firstElementChild), stop: () => {} };
}

function draw() {
  const phase = state.state.state;
  const path = router.path();
  if (phase === 'unlocked' && !['/chat', '/settings', '/setup'].includes(path)) router.go('/chat', true);
  if (phase === 'unlocked' && path === '/setup' && !settingUp) router.go('/chat', true);
  if (phase === 'signed_out' && ['/chat', '/settings'].includes(path)) router.go('/', true);
  const [key, name, make] = wanted();
  if (shown?.key === key) return;
  const first = shown === null || shown.key === 'starting';
  shown?.view.stop();
  closeDialogs();
  clearToasts();
  const view = make(context);
  shown = { key, view };
  root.replaceChildren(view.node);
  document.documentElement.dataset.view = key;
  title(name);
  if (key !== 'chat') badge(0);
  if (view.focus) view.focus();
  else if (!first) root.focus({ preventScroll: true });
  if (name && !first) announce(name);
}

/** Nothing that was opened over one view stays over the next. */
function closeDialogs() {
  for (const dialog of /** @type {NodeListOf<HTMLDialogElement>} */ (document.querySelectorAll('body > dialog'))) {
    dialog.close();
    dialog.remove();
  }
  overDialogs();
}

/** @param {string} text */
function fatal(text) {
  shown?.view.stop();
  shown = null;
  root.replaceChildren(
    h(
      'main',
      { class: 'solo', 'data-testid': 'fatal' },
      h(
        'div',
        { class: 'solo__card card center' },
        h('div', { class: 'solo__mark' }, icon('alert', 'icon--xl')),
        h('h1', {}, 'This cannot start'),
        h('p', { class: 'muted' }, text),
        h('button', { class: 'button', type: 'button', onclick: () => location.reload() }, 'Load again'),
      ),
    ),
  );
}

/** @param {import('./types.js').CoreEvent} event */
function receive(event) {
  if (event.e === 'fatal') {
    fatal(event.text);
    return;
  }
  if (event.e === 'left') {
    tabs = 0;
    location.reload();
    return;
  }
  if (event.e === 'draft' && !takeDraft(/** @type {import('./types.js').DraftEvent} */ (event))) return;
  if (event.e === 'tabs') {
    tabs = event.count;
    return;
  }
  if (event.e === 'state') {
    // A core that was overwritten starts anew and says so; what the person sees stays as it was.
    const before = state.state;
    if (event.state === 'starting' && before.state !== 'starting') return;
    if (
      event.state !== 'unlocked' &&
      (before.state === 'locked' || before.state === 'signed_out') &&
      ['started', 'reload'].includes(event.reason)
    ) {
      event.reason = before.reason;
      if (event.reason === 'expired') event.handle = before.me?.handle ?? before.handle;
    }
    recovered = asksAfterRecovery(before, /** @type {import('./types.js').StateEvent} */ (event));
    if (event.state === 'unlocked') openInvite(event.reason);
    else {
      forgetChat();
      forgetDrafts();
      if (before.state === 'unlocked') router.note('');
    }
  }
  if (event.e === 'restored') {
    restored = { at: event.at, text: event.text };
    draw();
    return;
  }
  if (event.e === 'clock_conflict') {
    clocks = { seen_at: event.seen_at, server_at: event.server_at, device_at: event.device_at, text: event.text };
    draw();
    return;
  }
  if (event.e === 'state') {
    restored = null;
    clocks = null;
  }
  if (event.e === 'failed' && event.during === 'start') {
    startAgain();
    return;
  }
  const handled = state.apply(event);
  if (event.e === 'state') {
    waits = 0;
    noteSignedIn(event.state);
    draw();
    if (recovered) askAfterRecovery(context);
    recovered = false;
  } else if (event.e === 'failed' && !handled && link.asked(event.during)) toast(event.text);
  else if (event.e === 'notice' && !handled) toast(event.text);
  else if (event.e === 'refused' && !handled) refusal(event.code, event.text);
}

let waits = 0;
/** The question after a recovery is open. */
let recovered = false;

/** The server did not answer the core's first question: say so, and ask again, less and less often. */
function startAgain() {
  const status = root.querySelector('[data-testid="splash"] [role="status"]');
  if (status) status.textContent = 'The server does not answer. Trying again…';
  else toast('The server does not answer. Trying again…');
  waits = Math.min(waits + 1, 6);
  setTimeout(() => context.send({ c: 'start' }), waits * 1000);
}

/**
 * Whoever came through an invite link and has an account is connected once signed in. After a registration
 * with the link the core connects by itself, and this tab tells what comes of it.
 * @param {string} reason
 */
function openInvite(reason) {
  const fragment = invite;
  invite = '';
  if (fragment === '') return;
  if (reason === 'registered') link.expect('open_invite');
  else context.send({ c: 'open_invite', fragment });
}

if (router.path() === '/') draw();
router.watch(draw);
router.watchFragment(() => {
  const path = router.path();
  if (path === '/i') invite = router.openedWith();
  settingUp = path === '/setup' && !router.openedWith().includes('.');
  if (state.state.state === 'unlocked') openInvite('pasted');
  else if (shown && [path, 'invite'].includes(shown.key)) shown.key = '';
  draw();
});
const link = new Link(receive);

/** A recovery key that was not typed back is worth nothing in another page. */
askBeforeLeaving(() => root.querySelector('#confirm-key') !== null);
/** Drafts, what was read and what one said go with the last tab. */
askBeforeLeaving(
  () => state.state.state === 'unlocked' && tabs === 1 && (hasDrafts() || state.chats.some((chat) => chat.last_ms > 0)),
);

/** A page that the browser keeps to go back to holds nothing of what was read, and starts anew when it is shown. */
addEventListener('pagehide', (event) => {
  if (!event.persisted) return;
  shown?.view.stop();
  shown = null;
  forgetChat();
  forgetDrafts();
  state.forget();
  closeDialogs();
  root.replaceChildren(h('main', { class: 'solo' }));
  title('');
});
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

let told = 0;
for (const kind of ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart']) {
  addEventListener(
    kind,
    () => {
      if (Date.now() - told < 10_000 || state.state.state !== 'unlocked') return;
      told = Date.now();
      context.send({ c: 'user_active' });
    },
    { passive: true, capture: true },
  );
}
