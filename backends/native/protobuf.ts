// Writes protocol buffers (https://protobuf.dev/programming-guides/encoding): as much as TensorFlow's graphs need,
// and the benchmark's ONNX models.

/** A field with its value, or several: a piece of a message. */
export type Piece = Uint8Array;

const [varintType, bytesType] = [0, 2];

/** Seven bits a byte, the lowest first; a negative number as the 64 bits of its complement. */
function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  if (value < 0) {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
    bytes.push(Number(rest));
    return bytes;
  }
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}

const key = (field: number, type: number): readonly number[] => varint((field << 3) | type);

export const whole = (field: number, value: number): Piece =>
  Uint8Array.of(...key(field, varintType), ...varint(value));

export const bytes = (field: number, value: Uint8Array): Piece =>
  joined([header(field, value.length), value]);

const header = (field: number, length: number): Piece =>
  Uint8Array.of(...key(field, bytesType), ...varint(length));

const encoder = new TextEncoder();

export const text = (field: number, value: string): Piece => bytes(field, encoder.encode(value));

/** A message within a message. */
export function message(field: number, pieces: readonly Piece[]): Piece {
  const length = pieces.reduce((size, piece) => size + piece.length, 0);
  return joined([header(field, length), ...pieces]);
}

export function joined(pieces: readonly Piece[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
