'use strict';
// Films from vega-datasets' movies.json. It has titles, release dates, most genres, some running times and directors;
// language, cast and description are made up, and so is what is missing (see `synthetic`).

const { makeUnique, slug } = require('./random.js');

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const genres = ['Drama', 'Comedy', 'Adventure', 'Action', 'Thriller', 'Romantic Comedy', 'Horror', 'Documentary'];
// what the data call differently
const genreNames = { 'Thriller/Suspense': 'Thriller', 'Concert/Performance': 'Concert' };
const languages = [['English', 78], ['French', 6], ['Spanish', 5], ['German', 3], ['Japanese', 3], ['Hindi', 3], ['Korean', 2]];
const firstNames = 'Ada Amir Anna Bela Carlos Chen Clara Diego Elena Emil Farah Greta Hana Ivan Jonas Kenji Lena Luis Mara Mei Nadia Nils Omar Petra Rosa Samir Sofia Tariq Vera Yuki'.split(' ');
const lastNames = 'Adler Almeida Bauer Costa Dubois Eriksen Ferrara Gupta Haddad Ivanova Jansen Kowalski Lindqvist Marino Nakamura Okafor Petrov Quiroga Rossi Schmidt Tanaka Ueda Vargas Weber Xu Yilmaz Zhang Novak'.split(' ');
const plots = {
  Action: ['One man knows the code, and everybody wants it.', 'The heist was the easy part.'],
  Adventure: ['A map, a storm, and a promise made long ago.', 'They set out for gold and find each other.'],
  Comedy: ['The wedding is on Saturday. Nobody has told the groom.', 'Two rivals, one office, no way out.'],
  Drama: ['A family comes home for one last summer.', 'She said nothing for ten years. Then a letter came.'],
  Horror: ['The house was empty. The cellar was not.', 'Do not answer when it calls your name.'],
  Thriller: ['A witness nobody believes, a clock that does not stop.', 'He has until midnight to prove who he is.'],
};
const anyPlot = ['A story about people who would not give up.', 'What begins by chance ends in the only way it can.'];

// The data were read in a wrong character set once: é came out as È.
function clean(title) {
  return String(title).replace(/È/g, 'é').replace(/\s+/g, ' ').trim();
}

// "Jun 12 1998". Years after the data were gathered lost their century: 2046 was 1946.
function releaseDate(text) {
  const [month, day, year] = text.split(' ');
  const real = Number(year) > 2011 ? Number(year) - 100 : Number(year);
  return `${real}-${String(months.indexOf(month) + 1).padStart(2, '0')}-${day}`;
}

function weighted(random, pairs) {
  let left = random.below(pairs.reduce((sum, pair) => sum + pair[1], 0));
  for (const [value, weight] of pairs) {
    if (left < weight) return value;
    left -= weight;
  }
  return pairs[0][0];
}

function makeMovie(row, unique, random) {
  const title = clean(row.Title);
  const synthetic = [];
  const orMade = (name, value, make) => {
    const made = make(); // always drawn, so that the other films do not depend on this one's gaps
    if (value !== null && value !== undefined) return value;
    synthetic.push(name);
    return made;
  };
  const released = releaseDate(row['Release Date']);
  const genre = orMade('genre', row['Major Genre'] && (genreNames[row['Major Genre']] || row['Major Genre']), () => random.pick(genres));
  const minutes = orMade('duration_minutes', row['Running Time min'], () => 84 + random.below(52));
  const movie = {
    movie_id: unique(`${slug(title)}-${released.slice(0, 4)}`),
    title,
    description: orMade('description', null, () => random.pick(plots[genre] || anyPlot)),
    duration_minutes: Math.max(minutes, 10),
    genre,
    language: orMade('language', null, () => weighted(random, languages)),
    release_date: released,
    rating: row['MPAA Rating'] || 'Not Rated',
    cast: orMade('cast', null, () => [0, 1, 2].map(() => `${random.pick(firstNames)} ${random.pick(lastNames)}`)),
  };
  const keywords = [row.Director, row['Creative Type'], row.Source].filter(Boolean);
  if (keywords.length > 0) movie.keywords = keywords;
  movie.synthetic = synthetic;
  return movie;
}

function rows() {
  return require('vega-datasets/data/movies.json').filter((row) => row.Title !== null && clean(row.Title) !== '');
}

function makeMovies(count, random) {
  const all = rows();
  if (count > all.length) {
    process.stderr.write(`catalog: there are only ${all.length} films; taking all\n`);
  }
  const unique = makeUnique();
  return all.slice(0, count).map((row) => makeMovie(row, unique, random));
}

// The best known ones, by votes.
function makeKnownMovies(count, random) {
  const known = rows().sort((a, b) => (b['IMDB Votes'] || 0) - (a['IMDB Votes'] || 0)).slice(0, count);
  const unique = makeUnique();
  // everybody knows that these are in English
  return known.map((row) => ({ ...makeMovie(row, unique, random), language: 'English' }));
}

module.exports = { makeMovies, makeKnownMovies };
