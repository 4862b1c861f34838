import { hash } from 'node:crypto';

const LENGTH_BYTES = 8;

/** 128 bits of a SHA-256 digest as 32 hexadecimal digits. Each part follows its length in bytes, big-endian. */
export function digest(kind, parts) {
  const pieces = [Buffer.from(kind)];
  for (const part of parts) {
    const text = Buffer.from(part);
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(text.length, LENGTH_BYTES - 4);
    pieces.push(length, text);
  }
  return hash('sha256', Buffer.concat(pieces)).slice(0, 32);
}
