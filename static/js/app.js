/** One page for all views: it connects to the core, and draws what phase and path ask for. */
import { Link } from './core/link.js';
import { State } from './lib/state.js';
import * as router from './lib/router.js';
import { announce, badge, clearToasts, overDialogs, refusal, title, toast } from './lib/say.js';
import { h, icon } from './lib/dom.js';
import { View, page } from './lib/part.js';
import { Lock, Recover, SignIn } from './views/front.js';
import { Invite, Register, RegistrationMode } from './views/register.js';
import { ClockView, RestoredView } from './views/restored.js';
import { askAfterRecovery, asksAfterRecovery } from './views/prove.js';
import { Settings } from './views/settings.js';
import { ChatView } from './chat/view.js';
import { Drafts } from './chat/drafts.js';

/**
 * @typedef {import('./types.js').Context} Context
 * @typedef {import('./types.js').CoreEvent} CoreEvent
 * @typedef {import('./types.js').StateEvent} StateEvent
 * @typedef {{key: string, name: string, make: (context: Context) => View}} Wanted
 */

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

/** Nothing that was opened over one view stays over the next. */
function closeDialogs() {
  for (const dialog of /** @type {NodeListOf<HTMLDialogElement>} */ (document.querySelectorAll('body > dialog'))) {
    dialog.close();
    dialog.remove();
  }
  overDialogs();
}

/** Asks before the page goes, where something would be lost with it. @param {() => boolean} loses */
function askBeforeLeaving(loses) {
  page.listen(window, 'beforeunload', (event) => {
    if (loses()) event.preventDefault();
  });
}

/** How often a person's activity is told at most, milliseconds. */
const TELL_MS = 10_000;

class App {
  #root = /** @type {HTMLElement} */ (document.getElementById('app'));
  #state = new State();
  /** @type {{key: string, view: View} | null} */
  #shown = null;
  /** After a set-up the administrator chooses who may register, before anything else. */
  #settingUp = location.pathname === '/setup' && !router.openedWith().includes('.');
  /** The invite link that this page was opened with, until it was used. */
  #invite = location.pathname === '/i' ? router.openedWith() : '';
  /** What only the person can decide, until they have: a restore that the server claims, clocks that disagree. @type {Wanted | null} */
  #question = null;
  /** How many tabs the core serves. */
  #tabs = 1;
  /** How often the core's first question had no answer. */
  #waits = 0;
  /** When the core was last told that somebody is here. */
  #told = 0;
  /** @type {Context} */
  #context;
  #link;

  constructor() {
    const send = (/** @type {import('./types.js').Command} */ command) => this.#link.send(command);
    const drafts = new Drafts(this.#state, send);
    this.#context = { state: this.#state, drafts, send, go: router.go, fragment: router.openedWith };
    // What can be typed before the core is there is drawn before the core is asked for.
    if (router.path() === '/') this.#draw();
    router.watch(() => this.#draw());
    router.watchFragment(() => this.#pasted());
    this.#link = new Link((event) => this.#receive(event));
    this.#watchPage();
  }

  get #phase() {
    return this.#state.state.state;
  }

  /** @returns {Wanted} */
  #wanted() {
    const path = router.path();
    if (this.#question) return this.#question;
    switch (this.#phase) {
      // Whoever is not signed in here may type before the core is there.
      case 'starting':
        if (path === '/' && !maybeSignedIn()) break;
        return { key: 'starting', name: '', make: (context) => this.#splash(context) };
      case 'locked':
        return { key: 'lock', name: 'Locked', make: (context) => new Lock(context) };
      case 'unlocked':
        if (this.#settingUp && this.#state.state.me?.role === 'admin') {
          const done = () => this.#setUp();
          return { key: 'mode', name: 'Set up this server', make: (context) => new RegistrationMode(context, done) };
        }
        if (path === '/settings')
          return { key: 'settings', name: 'Settings', make: (context) => new Settings(context) };
        return { key: 'chat', name: '', make: (context) => new ChatView(context) };
    }
    const [name, Kind] = {
      '/register': /** @type {const} */ (['Create an account', Register]),
      '/setup': /** @type {const} */ (['Set up this server', Register]),
      '/recover': /** @type {const} */ (['Use your recovery key', Recover]),
      '/i': /** @type {const} */ (['You are invited', Invite]),
    }[path] ?? ['Sign in', SignIn];
    const key = { '/register': path, '/setup': path, '/recover': 'recover', '/i': 'invite' }[path] ?? 'sign-in';
    return { key, name, make: (context) => new Kind(context) };
  }

  /** What the page came with. @param {Context} context */
  #splash(context) {
    return new View(context, /** @type {HTMLElement} */ (this.#root.firstElementChild));
  }

  #setUp() {
    this.#settingUp = false;
    router.go('/chat', true);
    this.#draw();
  }

  #draw() {
    const [phase, path] = [this.#phase, router.path()];
    const lost =
      phase === 'unlocked' &&
      (!['/chat', '/settings', '/setup'].includes(path) || (path === '/setup' && !this.#settingUp));
    if (lost) router.go('/chat', true);
    if (phase === 'signed_out' && ['/chat', '/settings'].includes(path)) router.go('/', true);
    const { key, name, make } = this.#wanted();
    if (this.#shown?.key === key) return;
    const first = this.#shown === null || this.#shown.key === 'starting';
    this.#shown?.view.stop();
    closeDialogs();
    clearToasts();
    const view = make(this.#context);
    this.#shown = { key, view };
    this.#root.replaceChildren(view.node);
    document.documentElement.dataset.view = key;
    title(name);
    if (key !== 'chat') badge(0);
    if (view.focus() === false && !first) this.#root.focus({ preventScroll: true });
    if (name && !first) announce(name);
  }

  /** @param {string} text */
  #fatal(text) {
    this.#shown?.view.stop();
    this.#shown = null;
    const again = h('button', { class: 'button', type: 'button' }, 'Load again');
    page.listen(again, 'click', () => location.reload());
    const card = h(
      'div',
      { class: 'solo__card card center' },
      h('div', { class: 'solo__mark' }, icon('alert', 'icon--xl')),
      h('h1', {}, 'This cannot start'),
      h('p', { class: 'muted' }, text),
      again,
    );
    this.#root.replaceChildren(h('main', { class: 'solo', 'data-testid': 'fatal' }, card));
  }

  /** @param {CoreEvent} event */
  #receive(event) {
    switch (event.e) {
      case 'fatal':
        this.#fatal(event.text);
        return;
      case 'left':
        this.#tabs = 0;
        location.reload();
        return;
      case 'tabs':
        this.#tabs = event.count;
        return;
      case 'draft':
        if (!this.#context.drafts.take(/** @type {import('./types.js').DraftEvent} */ (event))) return;
        break;
      case 'state':
        this.#receiveState(/** @type {StateEvent} */ (event));
        return;
      case 'restored':
        this.#ask(
          'restored',
          'The server was restored',
          (context) => new RestoredView(context, /** @type {any} */ (event)),
        );
        return;
      case 'clock_conflict':
        this.#ask('clock', 'Which clock is right?', (context) => new ClockView(context, /** @type {any} */ (event)));
        return;
      case 'failed':
        if (event.during !== 'start') break;
        this.#startAgain();
        return;
    }
    if (this.#state.apply(event)) return;
    if (event.e === 'failed' && this.#link.asked(event.during)) toast(event.text);
    else if (event.e === 'notice') toast(event.text);
    else if (event.e === 'refused') refusal(event.code, event.text);
  }

  /** @param {string} key @param {string} name @param {Wanted['make']} make */
  #ask(key, name, make) {
    // Whose server was restored decides about that first.
    if (this.#question?.key !== 'restored') this.#question = { key, name, make };
    this.#draw();
  }

  /** @param {StateEvent} event */
  #receiveState(event) {
    // A core that was overwritten starts anew and says so; what the person sees stays as it was.
    const before = this.#state.state;
    if (event.state === 'starting' && before.state !== 'starting') return;
    const closed = before.state === 'locked' || before.state === 'signed_out';
    if (event.state !== 'unlocked' && closed && ['started', 'reload'].includes(event.reason)) {
      event.reason = before.reason;
      if (event.reason === 'expired') event.handle = before.me?.handle ?? before.handle;
    }
    const recovered = asksAfterRecovery(before, event);
    if (event.state === 'unlocked') this.#openInvite(event.reason);
    else {
      this.#forget();
      if (before.state === 'unlocked') router.note('');
    }
    this.#question = null;
    this.#state.apply(event);
    this.#waits = 0;
    noteSignedIn(event.state);
    this.#draw();
    if (recovered) askAfterRecovery(this.#context);
  }

  #forget() {
    ChatView.forget();
    this.#context.drafts.forget();
  }

  /** The server did not answer the core's first question: say so, and ask again, less and less often. */
  #startAgain() {
    const text = 'The server does not answer. Trying again…';
    const status = this.#root.querySelector('[data-testid="splash"] [role="status"]');
    if (status) status.textContent = text;
    else toast(text);
    this.#waits = Math.min(this.#waits + 1, 6);
    page.after(this.#waits * 1000, () => this.#context.send({ c: 'start' }));
  }

  /**
   * Whoever came through an invite link and has an account is connected once signed in. After a registration
   * with the link the core connects by itself, and this tab tells what comes of it.
   * @param {string} reason
   */
  #openInvite(reason) {
    const fragment = this.#invite;
    this.#invite = '';
    router.forgetLink();
    if (fragment === '') return;
    if (reason === 'registered') this.#link.expect('open_invite');
    else this.#context.send({ c: 'open_invite', fragment });
  }

  /** A link was pasted over the address of this very page. */
  #pasted() {
    const path = router.path();
    if (path === '/i') this.#invite = router.openedWith();
    this.#settingUp = path === '/setup' && !router.openedWith().includes('.');
    if (this.#phase === 'unlocked') this.#openInvite('pasted');
    else if (this.#shown && [path, 'invite'].includes(this.#shown.key)) this.#shown.key = '';
    this.#draw();
  }

  #watchPage() {
    // A recovery key that was not typed back is worth nothing in another page.
    askBeforeLeaving(() => this.#root.querySelector('#confirm-key') !== null);
    // Drafts, what was read and what one said go with the last tab.
    askBeforeLeaving(() => {
      const holds = () => this.#context.drafts.any() || this.#state.chats.some((chat) => chat.last_ms > 0);
      return this.#phase === 'unlocked' && this.#tabs === 1 && holds();
    });
    // A page that the browser keeps to go back to holds nothing of what was read, and starts anew when it is shown.
    page.listen(window, 'pagehide', ({ persisted }) => {
      if (persisted) this.#empty();
    });
    page.listen(window, 'pageshow', ({ persisted }) => {
      if (persisted) location.reload();
    });
    for (const kind of /** @type {const} */ (['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchstart'])) {
      page.listen(window, kind, () => this.#active(), { passive: true, capture: true });
    }
  }

  #empty() {
    this.#shown?.view.stop();
    this.#shown = null;
    this.#forget();
    this.#state.forget();
    closeDialogs();
    this.#root.replaceChildren(h('main', { class: 'solo' }));
    title('');
  }

  #active() {
    if (Date.now() - this.#told < TELL_MS || this.#phase !== 'unlocked') return;
    this.#told = Date.now();
    this.#context.send({ c: 'user_active' });
  }
}

router.takeFragment();
new App();
