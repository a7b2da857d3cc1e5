/** Times and lengths of time as people say them. */

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const shortWeekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const date = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const shortClock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** @param {number} ms */
export const clockTime = (ms) => clock.format(ms);
/** @param {number} ms */
export const fullTime = (ms) => full.format(ms);

/**
 * How many midnights lie between then and now.
 * @param {number} ms
 * @param {number} now
 */
function daysAgo(ms, now) {
  const midnight = (/** @type {number} */ at) => new Date(at).setHours(0, 0, 0, 0);
  return Math.round((midnight(now) - midnight(ms)) / 86_400_000);
}

/**
 * The heading over the messages of one day.
 * @param {number} ms
 * @param {number} [now]
 */
export function dayName(ms, now = Date.now()) {
  const days = daysAgo(ms, now);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return days < 7 ? weekday.format(ms) : date.format(ms);
}

/**
 * The short time in a row of the chat list.
 * @param {number} ms
 * @param {number} [now]
 */
export function rowTime(ms, now = Date.now()) {
  if (ms === 0) return '';
  if (now - ms < 60_000) return 'now';
  if (now - ms < 3_600_000) return `${Math.floor((now - ms) / 60_000)} min`;
  const days = daysAgo(ms, now);
  if (days <= 0) return clock.format(ms);
  if (days === 1) return 'Yesterday';
  return days < 7 ? shortWeekday.format(ms) : shortDate.format(ms);
}

/**
 * When something waiting expires: to the second where it is near, and with the date where the name of the day could
 * be today's.
 * @param {number} seconds unix
 * @param {number} [now]
 */
export function expiry(seconds, now = Date.now()) {
  const ms = seconds * 1000;
  if (ms - now < 600_000) return shortClock.format(ms);
  const days = -daysAgo(ms, now);
  if (days === 0) return clock.format(ms);
  if (days === 1) return `tomorrow ${clock.format(ms)}`;
  return days < 7
    ? `${shortWeekday.format(ms)} ${clock.format(ms)}`
    : `${shortWeekday.format(ms)} ${shortDate.format(ms)} ${clock.format(ms)}`;
}

/**
 * `30 s`, `5 min`, `24 h`, `7 days`.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds <= 86_400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/**
 * What is left until `ms`: `1:05`, `0:09`, from an hour on `2 h 3 min`.
 * @param {number} ms
 * @param {number} [now]
 */
export function countdown(ms, now = Date.now()) {
  const seconds = Math.max(0, Math.ceil((ms - now) / 1000));
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/**
 * A burn rule in a few words.
 * @param {import('../types.js').Burn} burn
 */
export function burnText(burn) {
  if (burn === 'never') return 'Stays in open tabs';
  if (burn === 'on_read') return 'Burns on reading';
  return `Burns ${duration(burn.after)} after reading`;
}

/** How the server can be reached. @param {import('../types.js').ConnectionEvent} connection */
export function connectionText({ online, barred, retry_at_ms: retry }) {
  if (online) return 'Online';
  if (barred) return 'Messages are blocked on the way';
  return retry ? 'No connection, trying again' : 'Connecting…';
}

/**
 * A browser's own words, shortened to what people recognise.
 * @param {string | null} agent
 */
export function browserName(agent) {
  if (!agent) return 'Unknown browser';
  const browser = /Firefox/.test(agent)
    ? 'Firefox'
    : /Edg\//.test(agent)
      ? 'Edge'
      : /Chrom(e|ium)/.test(agent)
        ? 'Chrome'
        : /Safari/.test(agent)
          ? 'Safari'
          : 'Browser';
  const system = /Android/.test(agent)
    ? 'Android'
    : /iPhone|iPad/.test(agent)
      ? 'iOS'
      : /Windows/.test(agent)
        ? 'Windows'
        : /Mac OS X/.test(agent)
          ? 'macOS'
          : /Linux/.test(agent)
            ? 'Linux'
            : '';
  return system ? `${browser} on ${system}` : browser;
}
