// Reads WAV files: PCM of 8 or 16 bits, any number of channels (averaged to one). Not compressed or float formats.

export interface Recording {
  /** Samples a second. */
  readonly rate: number;
  /** One channel, in -1..1. */
  readonly samples: Float32Array;
}

interface Format {
  readonly channels: number;
  readonly rate: number;
  readonly bits: 8 | 16;
}

/** A RIFF file is a list of chunks: four letters, a little-endian length, content padded to even length. */
export function readWav(bytes: Uint8Array): Recording {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const letters = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (letters(0) !== "RIFF" || letters(8) !== "WAVE") throw new Error("not a WAV file: no RIFF/WAVE header");
  let format: Format | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    const end = at + 8 + length;
    const chunk = new DataView(view.buffer, view.byteOffset + at + 8, Math.min(end, bytes.length) - at - 8);
    switch (letters(at)) {
      case "fmt ":
        format = readFormat(chunk);
        break;
      case "data":
        if (format === null) throw new Error("broken WAV file: samples before their format");
        if (end > bytes.length) throw new Error("broken WAV file: it ends within its samples");
        return { rate: format.rate, samples: readSamples(chunk, format) };
    }
    at = end + (length % 2);
  }
  throw new Error("broken WAV file: no samples in it");
}

function readFormat(chunk: DataView): Format {
  if (chunk.byteLength < 16) throw new Error("broken WAV file: its format chunk is too short");
  const code = chunk.getUint16(0, true);
  // 1 is PCM; 0xFFFE keeps the true code at the start of a sub-format.
  const pcm = code === 1 || (code === 0xfffe && chunk.byteLength >= 26 && chunk.getUint16(24, true) === 1);
  const channels = chunk.getUint16(2, true);
  const rate = chunk.getUint32(4, true);
  const bits = chunk.getUint16(14, true);
  if (!pcm) throw new Error(`WAV format ${code} is not supported: only PCM (format 1)`);
  if (bits !== 8 && bits !== 16)
    throw new Error(`WAV with ${bits} bits a sample is not supported: only 8 and 16`);
  if (channels < 1 || rate < 1) throw new Error("broken WAV file: no channels or no rate");
  return { channels, rate, bits };
}

function readSamples(chunk: DataView, { channels, bits }: Format): Float32Array {
  const width = bits / 8;
  const frames = Math.floor(chunk.byteLength / (width * channels));
  // 8-bit samples are unsigned around 128, 16-bit samples signed.
  const sample = (i: number) =>
    bits === 8 ? (chunk.getUint8(i) - 128) / 128 : chunk.getInt16(2 * i, true) / 32768;
  return Float32Array.from({ length: frames }, (_, frame) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += sample(frame * channels + c);
    return sum / channels;
  });
}
