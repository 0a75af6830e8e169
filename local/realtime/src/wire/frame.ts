const FIN = 0x80;
const TEXT = 1;
const BINARY = 2;

/**
 * WebSocket frames made once and written as they are to any number of sockets: servers do not mask, and compression is
 * off, so the same bytes do for everyone.
 */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const { buffer, offset } = allocate(TEXT, length);
  buffer.write(text, offset, 'utf8');
  return buffer;
}

/** A binary frame of the given pieces. */
export function binaryFrame(pieces: readonly Buffer[]): Buffer {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const { buffer, offset } = allocate(BINARY, length);
  let at = offset;
  for (const piece of pieces) at += piece.copy(buffer, at);
  return buffer;
}

function allocate(opcode: number, length: number): { buffer: Buffer; offset: number } {
  const offset = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const buffer = Buffer.allocUnsafe(offset + length);
  buffer[0] = FIN | opcode;
  if (offset === 2) {
    buffer[1] = length;
  } else if (offset === 4) {
    buffer[1] = 126;
    buffer.writeUInt16BE(length, 2);
  } else {
    buffer[1] = 127;
    buffer.writeUInt32BE(Math.floor(length / 0x1_0000_0000), 2);
    buffer.writeUInt32BE(length >>> 0, 6);
  }
  return { buffer, offset };
}
