'use strict';
// A generator of random numbers that a text seeds: the same text, the same numbers, on every machine.

// FNV-1a, then mulberry32 (Tommy Ettinger).
function makeRandom(seed) {
  let state = 2166136261;
  for (const c of String(seed)) state = Math.imul(state ^ c.codePointAt(0), 16777619) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (count) => Math.floor(next() * count);
  const pick = (list) => list[below(list.length)];
  const shuffled = (list) => {
    const copy = list.slice();
    for (let i = copy.length - 1; i > 0; --i) {
      const j = below(i + 1);
      [copy[i], copy[j]] = [copy[j], copy[i]];
    }
    return copy;
  };
  return { next, below, pick, shuffled };
}

// "Léon: The Professional" becomes "leon-the-professional"; at most 48 characters.
function slug(text) {
  const plain = text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
  return plain.replace(/['’.]/g, '').replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 48).replace(/-$/, '') || 'x';
}

// Adds -2, -3, ... to an id that was used before.
function makeUnique() {
  const used = new Set();
  return (id) => {
    let unique = id;
    for (let i = 2; used.has(unique); ++i) unique = `${id}-${i}`;
    used.add(unique);
    return unique;
  };
}

module.exports = { makeRandom, makeUnique, slug };
