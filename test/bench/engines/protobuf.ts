// Writes protocol buffers (https://protobuf.dev/programming-guides/encoding): as much as ONNX models need.

/** A piece of a message: a field with its value. */
export type Field = Uint8Array;

const [varintType, bytesType] = [0, 2];

/** Unsigned, seven bits a byte. */
function varint(value: number): readonly number[] {
  if (value < 0x80) return [value];
  return [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}

const key = (field: number, type: number): readonly number[] => varint((field << 3) | type);

/** A whole number of at least 0. */
export const whole = (field: number, value: number): Field =>
  Uint8Array.from([...key(field, varintType), ...varint(value)]);

export const bytes = (field: number, value: Uint8Array): Field =>
  joined([Uint8Array.from([...key(field, bytesType), ...varint(value.length)]), value]);

export const text = (field: number, value: string): Field => bytes(field, new TextEncoder().encode(value));

/** A message within a message. */
export const message = (field: number, fields: readonly Field[]): Field => bytes(field, joined(fields));

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
