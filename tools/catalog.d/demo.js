'use strict';
// The catalog of tools/demo: thirty films that people know, eight theaters in three cities, shows on each of the days
// after it is loaded.

const { makeRandom, makeUnique } = require('./random.js');
const { makeKnownMovies } = require('./movies.js');
const { makeTheater, toCity, findCity, priceAt } = require('./theaters.js');
const { halls } = require('./halls.js');

const places = [['Berlin', 'DE', 3], ['London', 'GB', 3], ['New York City', 'US', 2]];
const used = ['studio-52', 'two-aisles-154', 'side-seats-268', 'wide-412'];

function clock(minutes) {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

// One screen's day: films in turn from 11:00 or so to 22:30, the same every day, as entries of one film each.
function showsOf(screen, theater, movies, random) {
  const { currency, amount } = priceAt(theater);
  const entries = new Map();
  const repertoire = [0, 1, 2].map(() => random.pick(movies));
  let local = 11 * 60 + 15 * random.below(5);
  for (let i = 0; local <= 22 * 60 + 30; ++i) {
    const movie = repertoire[i % repertoire.length];
    if (!entries.has(movie)) entries.set(movie, []);
    entries.get(movie).push(clock(local));
    local += Math.ceil((movie.duration_minutes + 25) / 15) * 15;
  }
  return [...entries].map(([movie, times]) => ({
    movie_id: movie.movie_id,
    screen_id: screen.screen_id,
    start: { days: '0..6', times },
    price_standard: { amount, currency },
    price_premium: { amount: Math.round((amount * 1.4) / 50) * 50, currency },
  }));
}

function makeDemo() {
  const random = makeRandom('demo');
  const movies = makeKnownMovies(30, random);
  const uniqueCity = makeUnique();
  const uniqueTheater = makeUnique();
  const theaters = [];
  for (const [name, country, count] of places) {
    const city = toCity(findCity(name, country), uniqueCity);
    for (let i = 0; i < count; ++i) {
      const theater = makeTheater(city, false, uniqueTheater, random);
      theater.screens = used.map((layout_id, at) => ({ screen_id: `${theater.theater_id}-${at + 1}`, name: `Screen ${at + 1}`, layout_id })).slice(0, 3 + (i + 1) % 2);
      theaters.push(theater);
    }
  }
  const shows = theaters.flatMap((theater) => theater.screens.flatMap((screen) => showsOf(screen, theater, movies, random)));
  return { layouts: halls.filter((layout) => used.includes(layout.layout_id)), movies, theaters, shows };
}

module.exports = { makeDemo };
