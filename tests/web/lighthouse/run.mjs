// Lighthouse over the customer's pages, as a phone and as a desktop; the median of three runs each. Prints a line a page.

import { launch } from 'chrome-launcher';
import lighthouse, { desktopConfig } from 'lighthouse';
import { check, chromiumPath, result, startServer } from '../support.mjs';
import { someShow } from '../shop.mjs';

const least = 95;
const runs = 3;
const wanted = ['performance', 'accessibility', 'best-practices'];

if (!chromiumPath) {
  console.log('SKIPPED: no Chromium here (apt-get install chromium)');
  process.exit(77);
}
const middle = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

const server = await startServer();
const chrome = await launch({ chromePath: chromiumPath, chromeFlags: ['--headless=new', '--no-sandbox'] });
try {
  const { movie, show } = await someShow(server.url);
  for (const path of ['/', `/film/${movie.movie_id}`, `/show/${show}`]) {
    check((await fetch(server.url + path)).status === 200, `${path} is a page`);
    for (const [look, config] of [['phone', undefined], ['desktop', desktopConfig]]) {
      const scores = Object.fromEntries(wanted.map((name) => [name, []]));
      for (let run = 0; run < runs; ++run) {
        const told = await lighthouse(server.url + path, { port: chrome.port, onlyCategories: wanted, logLevel: 'error' }, config);
        for (const name of wanted) scores[name].push(Math.round(100 * (told.lhr.categories[name].score ?? 0)));
      }
      const middles = wanted.map((name) => [name, middle(scores[name])]);
      console.log(`${path} (${look}): ${middles.map(([name, score]) => `${name} ${score}`).join(', ')}`);
      for (const [name, score] of middles) check(score >= least, `${path} (${look}): ${name} ${score}, at least ${least}`);
    }
  }
} finally {
  await chrome.kill();
  check((await server.stop()) === 0, 'the server ends well');
}
const { passed, failed } = result();
console.log(`${passed} checks passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
