'use strict';
// Halls of real shapes, in the notation of server/catalog/README.md: S standard, P premium, A accessible, C companion,
// O obstructed, _ aisle; a number repeats what follows.

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

// Front rows, a row of wheelchair places, middle rows, premium rows in the back; each row is one picture.
function hall(id, { front, wheelchair, middle, premium, back }) {
  const rows = [];
  let at = 0;
  const add = (count, seats) => {
    if (count === 0) return;
    const names = count === 1 ? letters[at] : `${letters[at]}-${letters[at + count - 1]}`;
    rows.push({ row: names, seats });
    at += count;
  };
  for (const [count, seats] of [front, [1, wheelchair], middle, premium, back || [0, '']]) add(count, seats);
  return { layout_id: id, rows };
}

const halls = [
  hall('studio-52', { front: [2, '4S_4S'], wheelchair: '2S2C_2A2S', middle: [2, '5S_5S'], premium: [1, '4P_4P'] }),
  hall('screening-80', { front: [3, '10S'], wheelchair: '4SCACA2S', middle: [3, '10S'], premium: [1, '10P'] }),
  hall('single-aisle-119', { front: [4, '6S_6S'], wheelchair: '4S2C_2A3S', middle: [2, '6S_6S'], premium: [2, '6P_6P'], back: [1, '6O_6S'] }),
  hall('two-aisles-154', { front: [4, '3S_8S_3S'], wheelchair: 'CAS_8S_SAC', middle: [4, '3S_8S_3S'], premium: [2, '3P_8P_3P'] }),
  hall('two-aisles-198', { front: [5, '4S_10S_4S'], wheelchair: 'SCAS_10S_SACS', middle: [3, '4S_10S_4S'], premium: [2, '4P_10P_4P'] }),
  hall('fan-232', { front: [4, '3S_8S_3S'], wheelchair: '2CA_10S_A2C', middle: [5, '5S_10S_5S'], premium: [3, '5P_10P_5P'] }),
  hall('side-seats-268', { front: [5, '2O_12S_2O'], wheelchair: '2S_CA8SAC_2S', middle: [6, '3S_12S_3S'], premium: [4, '2P_12P_2P'] }),
  hall('wide-324', { front: [6, '5S_12S_5S'], wheelchair: '5S_CA8SAC_5S', middle: [5, '5S_12S_5S'], premium: [3, '4P_12P_4P'] }),
  hall('wide-412', { front: [7, '6S_14S_6S'], wheelchair: '2CA3S_14S_3SA2C', middle: [6, '6S_14S_6S'], premium: [2, '5P_14P_5P'] }),
  hall('palace-496', { front: [8, '7S_14S_7S'], wheelchair: '3CA3S_14S_3SA3C', middle: [5, '7S_14S_7S'], premium: [4, '4P_12P_4P'], back: [1, '6O_12S_6O'] }),
];

// Four sectors of 50 rows with 100 seats each: 20,000.
const arena = {
  layout_id: 'arena-20000',
  focal_point: { x: 1055, y: -200 },
  rows: [
    { row: '1-4', seats: '20P_20P_20P_20P_20P' },
    { row: '5', seats: '18SCA_20S_20S_20S_AC18S' },
    { row: '6-100', seats: '20S_20S_20S_20S_20S' },
    { row: '101-196', seats: '20S_20S_20S_20S_20S' },
    { row: '197-200', seats: '20O_20S_20S_20S_20O' },
  ],
};

function seatCount(layout) {
  let seats = 0;
  for (const { row, seats: picture } of layout.rows) {
    const [, first, last] = row.match(/^([A-Z]|\d+)(?:-([A-Z]|\d+))?$/);
    const span = last === undefined ? 1 : /\d/.test(first) ? last - first + 1 : letters.indexOf(last) - letters.indexOf(first) + 1;
    for (const [, count, letter] of picture.matchAll(/(\d*)([A-Z_])/g)) {
      if (letter !== '_') seats += span * Number(count || 1);
    }
  }
  return seats;
}

module.exports = { halls, arena, seatCount };
