// Posters drawn from the film alone: the genre chooses the picture and the colours, the id everything by chance. The same
// film always looks the same. No image is ever fetched.

import type { JSX } from 'preact';

type Random = () => number;

function randomFrom(text: string): Random {
  let state = 2166136261;
  for (let i = 0; i < text.length; ++i) state = Math.imul(state ^ text.charCodeAt(i), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

// ground, middle, light, accent, ink of the title
type Palette = [string, string, string, string, string];
const palettes: Record<string, Palette[]> = {
  drama: [['#1f2a44', '#3f5277', '#e9c9a1', '#d9643a', '#fdf3e3'], ['#2d2433', '#6a4a5c', '#f0d6b5', '#c8553d', '#fff4e2'], ['#12353a', '#2f6b6e', '#f2d7a6', '#e0803f', '#fbf3df']],
  action: [['#1b1714', '#b3231d', '#f5b43c', '#ff6a2b', '#fff3dc'], ['#14202b', '#1f5a7a', '#f7c948', '#f2542d', '#fff6e0'], ['#23120f', '#7a1f14', '#ffb84a', '#ff4d2e', '#fff1dc']],
  comedy: [['#f6c445', '#f08a5d', '#fff1cf', '#2f6f8f', '#3a2412'], ['#f4a7a0', '#e2574c', '#fff0e4', '#2a6f6b', '#3b1420'], ['#8fd3c7', '#3c9d8f', '#fff5da', '#e2574c', '#12342f']],
  adventure: [['#16433f', '#2f8068', '#f7d58b', '#e2683c', '#fff5df'], ['#3b2a1f', '#9a6233', '#f6d9a0', '#3f8f8a', '#fff2da'], ['#1d3557', '#457b9d', '#f6dcae', '#e76f51', '#f9f3e5']],
  horror: [['#0d0d12', '#3a0f16', '#c9c2b4', '#d4202a', '#f3ece0'], ['#101a17', '#24443a', '#cdd6b8', '#c22b2b', '#f0efdf']],
  romance: [['#6b1f3a', '#c44569', '#ffd9c7', '#f78c6b', '#fff1e8'], ['#43264f', '#9d5c8f', '#ffdcc9', '#ff8a73', '#fff1ea']],
  musical: [['#2b1b4d', '#7341b3', '#ffd166', '#ef476f', '#fff6df'], ['#0f3057', '#00587a', '#ffd369', '#f05d5e', '#fff8e6']],
  western: [['#7a3b1d', '#c8702f', '#f8dfae', '#2f5d62', '#fff3d8'], ['#5a2a1c', '#b8552f', '#fbe0b0', '#28505a', '#fff2d9']],
  thriller: [['#101820', '#33475b', '#d8e2dc', '#f2aa4c', '#f6f1e7'], ['#191923', '#4b4e6d', '#e3e2f0', '#e5533d', '#f7f3ea']],
  documentary: [['#22333b', '#5e7a74', '#eae0d5', '#c6753d', '#faf5ec'], ['#2f3e46', '#6b8f71', '#f1e9d6', '#d98e4a', '#fbf7ea']],
};
const genreOf = (genre: string | null): string => {
  const name = (genre ?? '').toLowerCase();
  for (const key of Object.keys(palettes)) if (name.includes(key)) return key;
  if (name.includes('suspense') || name.includes('crime')) return 'thriller';
  if (name.includes('black')) return 'comedy';
  return 'drama';
};

const n = (value: number): number => Math.round(value * 10) / 10;
const W = 200;
const H = 300;

type Art = (random: Random, colours: Palette) => JSX.Element;

const ridge = (random: Random, height: number, rough: number): string => {
  let path = `M0 ${H}V${n(height + rough * (random() - 0.5))}`;
  const steps = 4 + Math.floor(random() * 3);
  for (let i = 1; i <= steps; ++i) path += `L${n((W / steps) * (i - 0.5))} ${n(height - rough * random())}L${n((W / steps) * i)} ${n(height + rough * (random() - 0.3))}`;
  return `${path}V${H}Z`;
};
const wave = (random: Random, height: number, swing: number): string => {
  const a = swing * (0.5 + random());
  const b = swing * (0.5 + random());
  return `M0 ${n(height)}C${W * 0.25} ${n(height - a)} ${W * 0.4} ${n(height + b)} ${W * 0.6} ${n(height)}S${W * 0.9} ${n(height - a)} ${W} ${n(height + b * 0.3)}V${H}H0Z`;
};

const horizon: Art = (random, [, middle, light, accent]) => {
  const x = 50 + random() * 100;
  const r = 38 + random() * 22;
  return (
    <g>
      <circle cx={n(x)} cy={n(105 + random() * 20)} r={n(r)} fill={random() < 0.5 ? light : accent} />
      <path d={wave(random, 165, 16)} fill={middle} />
      <path d={wave(random, 195, 14)} fill={middle} opacity="0.6" />
      <path d={wave(random, 220, 10)} fill="#000" opacity="0.28" />
    </g>
  );
};
const burst: Art = (random, [, middle, light, accent]) => {
  const x = 60 + random() * 80;
  const y = 95 + random() * 40;
  const rays = 9 + Math.floor(random() * 6);
  const turn = random() * 6;
  let path = '';
  for (let i = 0; i < rays; ++i) {
    const a = turn + (i * 2 * Math.PI) / rays;
    path += `M${n(x)} ${n(y)}L${n(x + 380 * Math.cos(a - 0.13))} ${n(y + 380 * Math.sin(a - 0.13))}L${n(x + 380 * Math.cos(a + 0.13))} ${n(y + 380 * Math.sin(a + 0.13))}Z`;
  }
  return (
    <g>
      <path d={path} fill={middle} opacity="0.85" />
      <circle cx={n(x)} cy={n(y)} r="46" fill={accent} />
      <circle cx={n(x)} cy={n(y)} r="28" fill={light} />
      <path d={`M0 ${n(205 + random() * 20)}L${W} ${n(165 + random() * 20)}V${H}H0Z`} fill="#000" opacity="0.35" />
    </g>
  );
};
const confetti: Art = (random, [, middle, light, accent]) => {
  const shapes: JSX.Element[] = [];
  for (let i = 0; i < 7; ++i) {
    const x = n(20 + random() * 160);
    const y = n(25 + random() * 160);
    const r = n(14 + random() * 30);
    const fill = [middle, light, accent][i % 3];
    if (i % 3 === 0) shapes.push(<circle key={i} cx={x} cy={y} r={r} fill={fill} />);
    else if (i % 3 === 1) shapes.push(<path key={i} d={`M${n(x - r)} ${y}A${r} ${r} 0 0 1 ${n(x + r)} ${y}Z`} fill={fill} transform={`rotate(${Math.round(random() * 360)} ${x} ${y})`} />);
    else shapes.push(<rect key={i} x={n(x - r * 0.7)} y={n(y - r * 0.7)} width={n(r * 1.4)} height={n(r * 1.4)} rx="4" fill={fill} transform={`rotate(${Math.round(random() * 90)} ${x} ${y})`} />);
  }
  return <g>{shapes}</g>;
};
const peaks: Art = (random, [, middle, light, accent]) => (
  <g>
    <circle cx={n(50 + random() * 100)} cy={n(80 + random() * 20)} r={n(24 + random() * 14)} fill={light} />
    <path d={ridge(random, 165, 70)} fill={middle} />
    <path d={ridge(random, 195, 46)} fill={accent} opacity="0.75" />
    <path d={ridge(random, 225, 30)} fill="#000" opacity="0.35" />
  </g>
);
const eye: Art = (random, [, middle, light, accent]) => {
  const y = 115 + random() * 20;
  const rings = [92, 72, 54, 36];
  return (
    <g>
      {rings.map((r, i) => <circle key={r} cx="100" cy={n(y)} r={n(r + random() * 6)} fill={i % 2 ? '#000' : middle} opacity={i % 2 ? 0.5 : 0.9} />)}
      <path d={`M28 ${n(y)}Q100 ${n(y - 62)} 172 ${n(y)}Q100 ${n(y + 62)} 28 ${n(y)}Z`} fill={light} />
      <circle cx="100" cy={n(y)} r="27" fill={accent} />
      <ellipse cx="100" cy={n(y)} rx={n(6 + random() * 6)} ry="22" fill="#0a0a0a" />
    </g>
  );
};
const hearts: Art = (random, [, middle, light, accent]) => {
  const y = 110 + random() * 20;
  const gap = 22 + random() * 14;
  return (
    <g>
      <circle cx={n(100 - gap)} cy={n(y)} r="58" fill={middle} />
      <circle cx={n(100 + gap)} cy={n(y)} r="58" fill={accent} opacity="0.8" />
      <circle cx="100" cy={n(y - 5)} r={n(10 + random() * 8)} fill={light} />
      <path d={wave(random, 225, 12)} fill="#000" opacity="0.28" />
    </g>
  );
};
const bars: Art = (random, [, middle, light, accent]) => {
  const count = 9;
  const shapes: JSX.Element[] = [];
  for (let i = 0; i < count; ++i) {
    const h = n(40 + random() * 120);
    shapes.push(<rect key={i} x={n(16 + i * 19)} y={n(130 - h / 2)} width="12" height={h} rx="6" fill={[light, accent, middle][Math.floor(random() * 3)]} />);
  }
  return <g>{shapes}<path d={wave(random, 225, 14)} fill="#000" opacity="0.28" /></g>;
};
const mesa: Art = (random, [, middle, light, accent]) => {
  const x = n(55 + random() * 90);
  return (
    <g>
      <circle cx={x} cy="118" r="52" fill={light} />
      <path d={`M0 182H${n(34 + random() * 20)}L48 140H92L104 182H140L148 158H182L190 182H${W}V${H}H0Z`} fill={middle} />
      <path d={wave(random, 215, 8)} fill={accent} opacity="0.8" />
      <path d={wave(random, 240, 8)} fill="#000" opacity="0.35" />
    </g>
  );
};
const blinds: Art = (random, [, middle, light, accent]) => {
  const lines: JSX.Element[] = [];
  for (let i = 0; i < 9; ++i) lines.push(<rect key={i} x="0" y={n(24 + i * 22)} width={W} height={n(4 + i * 1.2)} fill={middle} opacity="0.8" />);
  const x = n(60 + random() * 80);
  return (
    <g>
      <circle cx={x} cy="110" r="50" fill={light} />
      {lines}
      <path d={`M${n(x - 16)} ${H}V150a16 16 0 0 1 32 0V${H}Z`} fill="#000" opacity="0.75" />
      <circle cx={x} cy="118" r="14" fill="#000" opacity="0.75" />
      <rect x="0" y={n(200 + random() * 20)} width={W} height="3" fill={accent} />
    </g>
  );
};
const contours: Art = (random, [, middle, light, accent]) => {
  const x = 60 + random() * 80;
  const y = 90 + random() * 50;
  return (
    <g fill="none" stroke-width="5">
      {[18, 36, 54, 72, 90, 108, 126].map((r, i) => <ellipse key={r} cx={n(x)} cy={n(y)} rx={n(r * (1 + random() * 0.12))} ry={n(r * (0.8 + random() * 0.12))} stroke={i === 2 ? accent : i % 2 ? light : middle} opacity={i % 2 ? 0.55 : 0.9} />)}
    </g>
  );
};
const skyline: Art = (random, [, middle, light, accent]) => {
  const towers: JSX.Element[] = [];
  for (let i = 0, x = -6; x < W; ++i) {
    const w = 16 + random() * 22;
    const h = 60 + random() * 110;
    towers.push(<rect key={i} x={n(x)} y={n(235 - h)} width={n(w - 2)} height={n(h + 70)} fill={i % 3 ? middle : '#000'} opacity={i % 3 ? 0.9 : 0.45} />);
    for (let j = 0; j < 3; ++j) towers.push(<rect key={`${i}-${j}`} x={n(x + 4 + random() * (w - 12))} y={n(245 - h + random() * (h - 30))} width="4" height="5" fill={light} opacity="0.85" />);
    x += w;
  }
  return <g><circle cx={n(40 + random() * 120)} cy={n(70 + random() * 30)} r={n(26 + random() * 22)} fill={accent} />{towers}</g>;
};
const diagonals: Art = (random, [, middle, light, accent]) => {
  const lean = 60 + random() * 60;
  const stripes: JSX.Element[] = [];
  let x = -120;
  for (let i = 0; x < W + 60; ++i) {
    const w = 10 + random() * 34;
    stripes.push(<path key={i} d={`M${n(x)} ${H}L${n(x + lean)} 0H${n(x + lean + w)}L${n(x + w)} ${H}Z`} fill={[middle, accent, light, middle][i % 4]} opacity={i % 4 === 2 ? 0.9 : 0.75} />);
    x += w + 10 + random() * 26;
  }
  return <g>{stripes}<circle cx={n(70 + random() * 60)} cy={n(110 + random() * 30)} r="40" fill="#000" opacity="0.4" /></g>;
};
const planets: Art = (random, [, middle, light, accent]) => {
  const stars: JSX.Element[] = [];
  for (let i = 0; i < 26; ++i) stars.push(<circle key={i} cx={n(random() * W)} cy={n(random() * 200)} r={n(0.6 + random() * 1.300)} fill={light} />);
  const x = n(70 + random() * 60);
  const y = n(105 + random() * 25);
  const turn = Math.round(-30 + random() * 60);
  return (
    <g>
      {stars}
      <circle cx={x} cy={y} r="50" fill={middle} />
      <path d={`M${n(x - 50)} ${y}a50 50 0 0 1 100 0z`} fill={accent} opacity="0.75" transform={`rotate(${turn} ${x} ${y})`} />
      <ellipse cx={x} cy={y} rx="82" ry="15" fill="none" stroke={light} stroke-width="4" transform={`rotate(${turn} ${x} ${y})`} />
    </g>
  );
};
const steps: Art = (random, [, middle, light, accent]) => {
  const count = 5 + Math.floor(random() * 3);
  const up = random() < 0.5;
  const blocks: JSX.Element[] = [];
  for (let i = 0; i < count; ++i) {
    const h = 40 + (up ? i : count - 1 - i) * (150 / count);
    blocks.push(<rect key={i} x={n((W / count) * i)} y={n(240 - h)} width={n(W / count + 0.5)} height={n(h + 60)} fill={i % 2 ? middle : accent} opacity={i % 2 ? 0.95 : 0.8} />);
  }
  return <g>{blocks}<circle cx={n(up ? 50 + random() * 30 : 120 + random() * 30)} cy={n(62 + random() * 20)} r={n(22 + random() * 14)} fill={light} /></g>;
};
const arts: Record<string, Art[]> = {
  drama: [horizon, contours, hearts, steps, skyline], action: [burst, blinds, diagonals, skyline, planets], comedy: [confetti, steps], adventure: [peaks, horizon, planets],
  horror: [eye, blinds], romance: [hearts, horizon], musical: [bars, confetti], western: [mesa], thriller: [blinds, eye, diagonals, steps], documentary: [contours, peaks],
};

/** Breaks a title into lines that fit the poster, and says how large they may be. */
export function titleLines(title: string): { lines: string[]; size: number } {
  const text = title.length > 70 ? `${title.slice(0, 68).trimEnd()}…` : title;
  const words = text.split(/\s+/);
  const longest = Math.max(...words.map((word) => word.length), 1);
  for (const size of [32, 28, 24, 20, 17, 14]) {
    const fit = Math.floor(172 / (size * 0.56));
    if (longest > fit && size > 14) continue;
    const lines: string[] = [];
    let line = '';
    for (let word of words) {
      while (word.length > fit) {
        if (line) lines.push(line);
        lines.push(word.slice(0, fit));
        word = word.slice(fit);
        line = '';
      }
      if (line && line.length + 1 + word.length > fit) {
        lines.push(line);
        line = word;
      } else line = line ? `${line} ${word}` : word;
    }
    if (line) lines.push(line);
    if (lines.length * size <= 96 || size === 14) return { lines: lines.slice(0, 6), size };
  }
  return { lines: [text], size: 14 };
}

export interface PosterFilm { movie_id: string; title: string; genre: string | null; release_date: string | null }
export const paletteOf = (film: PosterFilm): Palette => {
  const all = palettes[genreOf(film.genre)];
  return all[Math.floor(randomFrom(`${film.movie_id}/colours`)() * all.length)];
};

export function Poster({ film, bare }: { film: PosterFilm; bare?: boolean }): JSX.Element {
  const colours = paletteOf(film);
  const random = randomFrom(film.movie_id);
  const kinds = arts[genreOf(film.genre)];
  const art = kinds[Math.floor(random() * kinds.length)](random, colours);
  const { lines, size } = titleLines(film.title);
  const bottom = 272;
  const shade = `shade-${film.movie_id.replace(/[^\w-]/g, '')}`;
  return (
    <svg class="poster" viewBox={bare ? '0 20 200 200' : `0 0 ${W} ${H}`} preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">
      <rect width={W} height={H} fill={colours[0]} />
      {art}
      {!bare && (
        <g>
          <defs><linearGradient id={shade} x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color={colours[0]} stop-opacity="0" /><stop offset="0.55" stop-color={colours[0]} stop-opacity="0.8" /><stop offset="1" stop-color={colours[0]} stop-opacity="0.92" /></linearGradient></defs>
          <rect y="130" width={W} height="170" fill={`url(#${shade})`} />
          {film.release_date && <text x="14" y="24" fill={colours[4]} opacity="0.85" font-size="11" letter-spacing="2" class="poster-small">{film.release_date.slice(0, 4)}</text>}
          {lines.map((line, i) => <text key={i} x="14" y={n(bottom - (lines.length - 1 - i) * size * 1.02)} fill={colours[4]} font-size={size} class="poster-title">{line}</text>)}
          <rect x="14" y="282" width="26" height="3" fill={colours[3] === colours[0] ? colours[4] : colours[3]} />
        </g>
      )}
    </svg>
  );
}
