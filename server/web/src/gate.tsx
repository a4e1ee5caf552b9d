// The gate: a camera that reads tickets, green or red with the reason. Works without a network once it was loaded: codes
// are checked by the published keys and the signed list of cancelled tickets, and scans are sent when the server can be reached
// again.

import './gate.css';
import type { JSX } from 'preact';
import { render } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, newKey, Problem, setToken } from './lib/api';
import { SignIn, token } from './console/common';
import { Logo } from './ui/parts';
import { applyTheme, ThemePicker, themeOf } from './ui/shell';
import { type Scan, save, state } from './gate/store';
import { bodyOf, learn, upload } from './gate/sync';
import { checkCode } from './gate/verify';

const words: Record<string, string> = {
  valid: 'Come in', bad_signature: 'This is not one of our tickets', unknown_key: 'Signed with a key that this gate does not know', wrong_show: 'For another show',
  unknown_gate: 'The server does not know this gate', forbidden: 'Your token is not for gates',
  cancelled: 'The ticket was cancelled', already_used: 'Used already', too_early: 'Too early', too_late: 'Too late', not_checked: 'Not checked: this browser cannot, and there is no network',
};
const again_ms = 3000;
const sync_ms = 5000;
const patience_ms = 3000; // then the people in the queue count more than the server's word

interface Verdict { reason: string; seat: string; text: string; offline: boolean; at: number }

declare class BarcodeDetector {
  constructor(options: { formats: string[] });
  detect(source: CanvasImageSource): Promise<{ rawValue: string }[]>;
}

/** Reads QR codes from the camera: by the browser's own detector where it has one, else by jsQR, loaded when needed. */
function useScanner(on: boolean, found: (code: string) => void) {
  const video = useRef<HTMLVideoElement>(null);
  const [trouble, setTrouble] = useState('');
  const take = useRef(found);
  take.current = found;
  useEffect(() => {
    if (!on) return;
    let ended = false;
    let stream: MediaStream | null = null;
    const canvas = document.createElement('canvas');
    const run = async (): Promise<void> => {
      if (!navigator.mediaDevices) throw new Error('the camera needs https, or localhost');
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } } });
      if (!video.current) return;
      video.current.srcObject = stream;
      await video.current.play();
      const detector = 'BarcodeDetector' in window ? new BarcodeDetector({ formats: ['qr_code'] }) : null;
      const jsqr = detector ? null : (await import('jsqr')).default;
      while (!ended && video.current) {
        await new Promise((resolve) => setTimeout(resolve, 120));
        const frame = video.current;
        if (!frame || frame.readyState < 2) continue;
        if (detector) {
          for (const code of await detector.detect(frame)) take.current(code.rawValue);
        } else if (jsqr) {
          canvas.width = frame.videoWidth;
          canvas.height = frame.videoHeight;
          const pen = canvas.getContext('2d', { willReadFrequently: true });
          if (!pen) continue;
          pen.drawImage(frame, 0, 0);
          const code = jsqr(pen.getImageData(0, 0, canvas.width, canvas.height).data, canvas.width, canvas.height);
          if (code) take.current(code.data);
        }
      }
    };
    run().catch((error) => ended || setTrouble(`No camera: ${String(error.message ?? error)}. Codes can be typed below.`));
    return () => {
      ended = true;
      stream?.getTracks().forEach((track) => track.stop());
    };
  }, [on]);
  return { video, trouble };
}

function Gate(): JSX.Element {
  const [signedIn, setSignedIn] = useState(!!token.get());
  const [gate, setGate] = useState(state.gate);
  const [verdict, setVerdict] = useState<Verdict | null>(null);
  const [refused, setRefused] = useState('');
  const [online, setOnline] = useState(navigator.onLine);
  const [, count] = useState(0);
  const recent = useRef<{ code: string; at: number }>({ code: '', at: 0 });

  useEffect(() => {
    document.title = 'Usher gate';
    setToken(token.get());
    navigator.serviceWorker?.register('/gate-worker.js', { scope: '/gate' }).catch(() => undefined);
    const sync = async (): Promise<void> => {
      if (!signedIn || !state.gate) return;
      setRefused(await upload());
      await learn().catch(() => undefined); // no network: what is known stays
      count((n) => n + 1);
    };
    void sync();
    const timer = setInterval(() => void sync(), sync_ms);
    const tell = (): void => setOnline(navigator.onLine);
    addEventListener('online', tell);
    addEventListener('offline', tell);
    return () => { clearInterval(timer); removeEventListener('online', tell); removeEventListener('offline', tell); };
  }, [signedIn, gate]);

  const scanned = async (code: string): Promise<void> => {
    const now = Date.now();
    if (recent.current.code === code && now - recent.current.at < again_ms) return;
    recent.current = { code, at: now };
    const known = { keys: state.keys, revoked: (id: string) => state.revoked.includes(id), used: (id: string) => state.scans.some((scan) => scan.id === id && scan.verdict === 'valid') };
    const own = await checkCode(code, known, now / 1000);
    const scan: Scan = { ticket: code.slice(0, 400), scanned_at: new Date(now).toISOString(), nonce: newKey(), direction: 'in', verdict: own.reason, seat: own.payload?.seat ?? '', id: own.payload?.ticket ?? '', sent: false };
    let offline = !!own.payload;
    try {
      if (own.payload) scan.verdict = (await call<{ result: string }>('POST', '/checkins', { body: bodyOf(scan), signal: AbortSignal.timeout(patience_ms) })).result;
      scan.sent = true;
      offline = false;
    } catch (problem) {
      // what the server could not hear is sent later; what it refuses to hear is nobody's entry
      if (problem instanceof Problem && problem.status >= 400 && problem.status < 500 && ![401, 429].includes(problem.status)) return setVerdict({ reason: problem.code, seat: scan.seat, text: words[problem.code] ?? problem.code, offline: false, at: now });
    }
    if (scan.id) state.scans.push(scan);
    save();
    setVerdict({ reason: scan.verdict, seat: scan.seat, text: words[scan.verdict] ?? scan.verdict, offline, at: now });
    navigator.vibrate?.(scan.verdict === 'valid' ? 60 : [120, 60, 120]);
  };
  const { video, trouble } = useScanner(signedIn && gate !== '', (code) => void scanned(code));
  const good = state.scans.filter((scan) => scan.verdict === 'valid').length;
  const waiting = state.scans.filter((scan) => !scan.sent).length;
  return (
    <div class={`gate ${verdict ? (verdict.reason === 'valid' ? 'is-good' : 'is-bad') : ''}`}>
      <header class="gate-top"><span class="logo"><Logo /><span>Gate</span></span><span>{online ? 'online' : 'offline'}</span></header>
      <main id="main">
        {!signedIn ? <SignIn role="gate" done={() => setSignedIn(true)} /> : gate === '' ? (
          <form class="sign-in" onSubmit={(event) => { event.preventDefault(); const name = String(new FormData(event.currentTarget).get('gate')).trim(); if (!name) return; state.gate = name; save(); setGate(name); }}>
            <h1>Which gate is this?</h1>
            <label class="field"><span>The gate's id, as it was registered</span><input class="input" name="gate" required maxLength={32} spellcheck={false} /></label>
            <button class="button primary">Open the gate</button>
          </form>
        ) : (
          <>
            <h1 class="sr">Gate {gate}</h1>
            <div class="camera"><video ref={video} muted playsInline aria-label="Camera" />{trouble && <p role="status">{trouble}</p>}</div>
            <div class="verdict" role="alert">
              {verdict ? <><b>{verdict.text}</b>{verdict.seat && <span class="verdict-seat">{verdict.seat}</span>}{verdict.offline && <span>checked on this device, not yet by the server</span>}</> : <b>Hold a ticket before the camera</b>}
            </div>
            <form class="typed" onSubmit={(event) => { event.preventDefault(); const field = event.currentTarget.elements.namedItem('code') as HTMLInputElement; if (field.value.trim()) void scanned(field.value.trim()); field.value = ''; }}>
              <label class="field"><span>Code by hand</span><input class="input" name="code" maxLength={400} spellcheck={false} autocomplete="off" /></label><button class="button">Check</button>
            </form>
            <dl class="counts"><div><dt>let in</dt><dd>{good}</dd></div><div><dt>refused</dt><dd>{state.scans.length - good}</dd></div><div><dt>to be sent</dt><dd>{waiting}</dd></div></dl>
            {refused && <p class="notice notice-error" role="alert">Scans are not taken by the server: {words[refused] ?? refused}</p>}
            <p class="hint">Gate {gate}; keys and cancelled tickets {state.synced ? `as of ${new Date(state.synced).toLocaleTimeString()}` : 'not known yet'}. <button class="chip" onClick={() => { state.gate = ''; save(); setGate(''); }}>Another gate</button> <button class="chip" onClick={() => { token.set(''); setSignedIn(false); }}>Sign out</button></p>
          </>
        )}
      </main>
      <footer class="gate-bottom"><ThemePicker /></footer>
    </div>
  );
}

applyTheme(themeOf());
render(<Gate />, document.getElementById('root') as HTMLElement);
