import { hash } from 'node:crypto';
import { digest as digestOfBytes } from '../shared/digest.mjs';

/** Below it, a length is one character of one byte. */
const LONG = 128;
const HIGH_BYTES = '\0'.repeat(7);

/** The same digest without buffers: of ASCII texts, the parts and their lengths can be joined as text. */
export function digest(kind, parts) {
  let text = kind;
  for (let index = 0; index < parts.length; index += 1) {
    const part = parts[index];
    if (part.length >= LONG || Buffer.byteLength(part) !== part.length) return digestOfBytes(kind, parts);
    text += HIGH_BYTES + String.fromCharCode(part.length) + part;
  }
  return hash('sha256', text).slice(0, 32);
}
