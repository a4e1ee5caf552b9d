// Checks a ticket's code without a network: the signature by the published keys (Ed25519, RFC 8032), the times, and
// whether this device has let it in already. The same order of reasons as the server's, which has the last word.

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

export async function checkCode(code: string, keys: Jwk[], used: (ticket: string) => boolean, now_s: number): Promise<{ reason: Reason; payload: Payload | null }> {
  const parsed = parseCode(code);
  if (!parsed) return { reason: 'bad_signature', payload: null };
  const { payload, signed, signature } = parsed;
  const key = keys.find((one) => one.kid === payload.kid);
  if (!key) return { reason: 'unknown_key', payload };
  let good = false;
  try {
    const raw = bytesOf(key.x);
    if (!raw) return { reason: 'unknown_key', payload };
    const imported = await crypto.subtle.importKey('raw', raw, { name: 'Ed25519' }, false, ['verify']);
    good = await crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, signed);
  } catch {
    return { reason: 'not_checked', payload }; // a browser without Ed25519: only the server can tell
  }
  if (!good) return { reason: 'bad_signature', payload };
  if (used(payload.ticket)) return { reason: 'already_used', payload };
  if (now_s < payload.from) return { reason: 'too_early', payload };
  if (now_s > payload.until) return { reason: 'too_late', payload };
  return { reason: 'valid', payload };
}
