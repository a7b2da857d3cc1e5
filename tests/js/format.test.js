import assert from 'node:assert/strict';
import test from 'node:test';

import {
  browserName,
  burnText,
  clockTime,
  connectionText,
  countdown,
  dayName,
  duration,
  expiry,
  rowTime,
} from '../../static/js/lib/format.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Noon on a Wednesday, wherever this runs. */
const NOON = new Date(2026, 6, 15, 12).getTime();

test('a duration is told in its largest whole unit', () => {
  assert.deepEqual([5, 59, 60, 300, 3600, 28_800, 86_400, 604_800].map(duration), [
    '5 s',
    '59 s',
    '1 min',
    '5 min',
    '1 h',
    '8 h',
    '24 h',
    '7 days',
  ]);
});

test('a countdown shows minutes and seconds, and from an hour on hours and minutes', () => {
  assert.equal(countdown(NOON + 65 * SECOND, NOON), '1:05');
  assert.equal(countdown(NOON + 8_001, NOON), '0:09');
  assert.equal(countdown(NOON + 2 * HOUR + 3 * MINUTE, NOON), '2 h 3 min');
  assert.equal(countdown(NOON - SECOND, NOON), '0:00');
});

test('a day is named by its distance in midnights, not in hours', () => {
  const oneInTheMorning = new Date(2026, 6, 15, 1).getTime();
  assert.equal(dayName(oneInTheMorning, NOON), 'Today');
  assert.equal(dayName(oneInTheMorning - 2 * HOUR, NOON), 'Yesterday');
  assert.equal(dayName(oneInTheMorning - 2 * HOUR, oneInTheMorning), 'Yesterday');
  assert.match(dayName(NOON - 3 * DAY, NOON), /^\p{L}+$/u, 'a weekday');
  assert.match(dayName(NOON - 30 * DAY, NOON), /2026/, 'a date');
});

test('a row of the list has a short time that ages', () => {
  assert.equal(rowTime(0, NOON), '');
  assert.equal(rowTime(NOON - 59 * SECOND, NOON), 'now');
  assert.equal(rowTime(NOON - 59 * MINUTE, NOON), '59 min');
  assert.equal(rowTime(NOON - 2 * HOUR, NOON), clockTime(NOON - 2 * HOUR));
  assert.equal(rowTime(NOON - DAY, NOON), 'Yesterday');
});

test('an expiry names the day where the clock alone could mean today', () => {
  const at = (/** @type {number} */ ms) => expiry(ms / 1000, NOON);
  assert.equal(at(NOON + HOUR), clockTime(NOON + HOUR));
  assert.equal(at(NOON + DAY), `tomorrow ${clockTime(NOON + DAY)}`);
  assert.ok(at(NOON + 5 * MINUTE).length > clockTime(NOON).length, 'to the second when it is near');
  assert.ok(at(NOON + 7 * DAY).length > at(NOON + 3 * DAY).length, 'a date as well after a week');
});

test('a connection is told by what can be done about it', () => {
  const text = (/** @type {object} */ how) => connectionText({ e: 'connection', online: false, ...how });
  assert.equal(text({ online: true }), 'Online');
  assert.equal(text({}), 'Connecting…');
  assert.equal(text({ retry_at_ms: 5 }), 'No connection, trying again');
  assert.equal(text({ retry_at_ms: 5, barred: true }), 'Messages are blocked on the way');
});

test('burn rules and browsers have names that people know', () => {
  assert.equal(burnText('never'), 'Stays in open tabs');
  assert.equal(burnText('on_read'), 'Burns on reading');
  assert.equal(burnText({ after: 30 }), 'Burns 30 s after reading');
  assert.equal(browserName(null), 'Unknown browser');
  assert.equal(browserName('Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0'), 'Firefox on Linux');
  assert.equal(
    browserName('Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/140 Safari/537 Edg/140'),
    'Edge on Windows',
  );
  assert.equal(browserName('Mozilla/5.0 (iPhone) AppleWebKit Version/26 Safari/604'), 'Safari on iOS');
});
