'use strict';
// A schedule: each screen opens in the late morning of each day and shows one film after the other, with a pause, until
// the evening; so no two shows on a screen overlap.

const { priceAt } = require('./theaters.js');

const minute = 60 * 1000;
const day = 24 * 60 * minute;

// Offset of the zone on that date in minutes, as of its noon: nobody changes clocks between 9 in the morning and
// midnight.
const offsets = new Map();
function offsetAt(zone, noonUtc) {
  const key = `${zone}|${noonUtc}`;
  if (!offsets.has(key)) {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' });
    const part = Object.fromEntries(format.formatToParts(noonUtc).map(({ type, value }) => [type, Number(value)]));
    offsets.set(key, (Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute) - noonUtc) / minute);
  }
  return offsets.get(key);
}

function money(amount, currency) {
  return { amount: Math.round(amount / 10) * 10, currency };
}

// All shows of one screen on one day, `date` being its midnight as if it were UTC.
function* showsOf(screen, theater, date, movies, random) {
  const { currency, amount } = priceAt(theater);
  const offset = offsetAt(theater.time_zone, date + day / 2);
  let local = 10 * 60 + 5 * random.below(24);
  while (local <= 22 * 60 + 30) {
    const movie = random.pick(movies);
    const stamp = new Date(date + local * minute).toISOString();
    const evening = local >= 17 * 60 ? 1.15 : 1;
    yield {
      show_id: `${screen.screen_id}-${stamp.slice(0, 10).replace(/-/g, '')}-${stamp.slice(11, 16).replace(':', '')}`,
      movie_id: movie.movie_id,
      screen_id: screen.screen_id,
      start_time: new Date(date + (local - offset) * minute).toISOString(),
      price_standard: money(amount * evening, currency),
      price_premium: money(amount * evening * 1.4, currency),
    };
    local += Math.ceil((movie.duration_minutes + 20) / 5) * 5;
  }
}

function firstDay(from) {
  if (from !== null) return Date.parse(`${from}T00:00:00Z`);
  return Math.floor(Date.now() / day) * day + day;
}

// Day after day over all screens until there are enough.
function makeShows(options, movies, theaters, seatsOf, random) {
  const shows = [];
  let seats = 0;
  const screens = theaters.flatMap((theater) => theater.screens.map((screen) => ({ screen, theater })));
  if (screens.length === 0 || movies.length === 0) return { shows, seats };
  for (let date = firstDay(options.from); shows.length < options.shows; date += day) {
    for (const { screen, theater } of random.shuffled(screens)) {
      for (const show of showsOf(screen, theater, date, movies, random)) {
        if (shows.length === options.shows) return { shows, seats };
        shows.push(show);
        seats += seatsOf.get(screen.layout_id);
      }
    }
  }
  return { shows, seats };
}

module.exports = { makeShows };
