// Checks a ticket's code without a network: the signature by the published keys (Ed25519, RFC 8032), whether it was cancelled
// as far as this device has heard, whether this device has let it in already, and the times. The same order of reasons as the
// server's, which has the last word; only the server knows which show a code's number stands for.

export interface Jwk { kty: string; crv: string; kid: string; x: string }
export interface Payload { kid: string; ticket: string; show: number; from: number; until: number; seat: string }
export type Reason = 'valid' | 'bad_signature' | 'unknown_key' | 'wrong_show' | 'cancelled' | 'already_used' | 'too_early' | 'too_late' | 'not_checked';

const bytesOf = (text: string): Uint8Array<ArrayBuffer> | null => {
  if (!/^[\w-]+$/.test(text)) return null;
  try {
    const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
    const bytes = new Uint8Array(plain.length);
    for (let i = 0; i < plain.length; ++i) bytes[i] = plain.charCodeAt(i);
    return bytes;
  } catch {
    return null;
  }
};

/** Takes a code apart: version u8, key u32, ticket 16 bytes, from u32, until u32, size u8, seat; then 64 bytes signature. */
export function parseCode(code: string): { payload: Payload; signed: Uint8Array<ArrayBuffer>; signature: Uint8Array<ArrayBuffer> } | null {
  if (!code.startsWith('UT1.')) return null;
  const bytes = bytesOf(code.slice(4));
  if (!bytes || bytes.length < 30 + 64) return null;
  const view = new DataView(bytes.buffer);
  const size = bytes[29];
  if (bytes[0] !== 1 || bytes.length !== 30 + size + 64) return null;
  const hex = Array.from(bytes.subarray(5, 21), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return {
    payload: {
      kid: view.getUint32(1).toString(16).padStart(8, '0'),
      ticket: `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
      show: view.getUint32(5), from: view.getUint32(21), until: view.getUint32(25),
      seat: new TextDecoder().decode(bytes.subarray(30, 30 + size)),
    },
    signed: bytes.slice(0, 30 + size), signature: bytes.slice(30 + size),
  };
}

/** Returns: whether that key signed those bytes; nothing when this browser cannot tell (no Ed25519, or no https). */
async function verifies(key: Jwk, signature: Uint8Array<ArrayBuffer>, signed: Uint8Array<ArrayBuffer>): Promise<boolean | null> {
  const raw = bytesOf(key.x);
  if (!raw) return false;
  try {
    const imported = await crypto.subtle.importKey('raw', raw, { name: 'Ed25519' }, false, ['verify']);
    return await crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, signed);
  } catch {
    return null;
  }
}

/** Whether a text of the server's (a list of cancelled tickets) is signed by that key. */
export async function verifyText(keys: Jwk[], kid: string, text: string, signature: string): Promise<boolean> {
  const key = keys.find((one) => one.kid === kid);
  const bytes = bytesOf(signature);
  return !!key && !!bytes && (await verifies(key, bytes, new TextEncoder().encode(text))) === true;
}

export interface Known { keys: Jwk[]; revoked: (ticket: string) => boolean; used: (ticket: string) => boolean }

export async function checkCode(code: string, known: Known, now_s: number): Promise<{ reason: Reason; payload: Payload | null }> {
  const parsed = parseCode(code);
  if (!parsed) return { reason: 'bad_signature', payload: null };
  const { payload, signed, signature } = parsed;
  const key = known.keys.find((one) => one.kid === payload.kid);
  if (!key) return { reason: 'unknown_key', payload };
  const good = await verifies(key, signature, signed);
  if (good === null) return { reason: 'not_checked', payload };
  if (!good) return { reason: 'bad_signature', payload };
  if (known.revoked(payload.ticket)) return { reason: 'cancelled', payload };
  if (known.used(payload.ticket)) return { reason: 'already_used', payload };
  if (now_s < payload.from) return { reason: 'too_early', payload };
  if (now_s > payload.until) return { reason: 'too_late', payload };
  return { reason: 'valid', payload };
}
