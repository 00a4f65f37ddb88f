// From samples to what the network hears: ten log-mel energies a frame. This file knows sound and nothing of
// networks; the fixed mean and deviation of the training data are applied by dataset.ts.
//
// Mel scale and triangular filters as in Davis & Mermelstein 1980 ("Comparison of parametric representations for
// monosyllabic word recognition"), before their cosine transform; mel(f) = 2595 log10(1 + f / 700) (O'Shaughnessy 1987).

import { powerSpectrum } from "./fft.ts";

export const bands = 10;

/** Seconds. 32 ms resolve the bands; a hop of 24 ms keeps a digit at about 15 steps. */
const windowLength = 0.032;
const hopLength = 0.024;

/** The filters span this range, in Hz, whatever the rate of sampling (4,000 Hz is all that 8 kHz can carry). */
const lowest = 100;
const highest = 4000;

/** Added to each band's energy before the logarithm: about the energy of 16-bit rounding. */
const floor = 1e-10;

/** Speech: within this many dB of the loudest 10 ms, with pauses of at most this many seconds. */
const quiet = 30;
const longestPause = 0.2;

/**
 * The features of one recording, `[frames * bands]`: speech only, and its mean over all frames and bands taken
 * away, which makes it independent of loudness.
 */
export function extract(samples: Float32Array, rate: number): Float32Array {
  const energies = logMel(speech(samples, rate), rate);
  const mean = energies.reduce((sum, value) => sum + value, 0) / energies.length;
  return energies.map(value => value - mean);
}

/**
 * Natural logarithms of the mel bands' energies, `[frames * bands]`. Samples are in -1..1. Frames that would reach
 * past the end are left out; a recording shorter than one frame is filled up with zeros.
 */
export function logMel(samples: Float32Array, rate: number): Float32Array {
  const length = Math.round(windowLength * rate);
  const hop = Math.round(hopLength * rate);
  const frames = Math.max(0, Math.floor((samples.length - length) / hop)) + 1;
  const hann = Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / length));
  const scale = hann.reduce((sum, weight) => sum + weight, 0) ** -2;
  // Zeros after the window up to a power of two.
  const frame = new Float64Array(2 ** Math.ceil(Math.log2(length)));
  const filters = melFilters(frame.length, rate);
  const result = new Float32Array(frames * bands);
  for (let f = 0; f < frames; f++) {
    for (let i = 0; i < length; i++) frame[i] = hann[i]! * (samples[f * hop + i] ?? 0);
    const power = powerSpectrum(frame);
    filters.forEach((filter, band) => {
      const energy = filter.reduce((sum, weight, k) => sum + weight * power[k]!, 0);
      result[f * bands + band] = Math.log(scale * energy + floor);
    });
  }
  return result;
}

/** Weights of the `size / 2 + 1` frequencies in each band: triangles with corners evenly spaced in mel. */
function melFilters(size: number, rate: number): Float64Array[] {
  const mel = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
  const hertz = (mel: number) => 700 * (10 ** (mel / 2595) - 1);
  const step = (mel(highest) - mel(lowest)) / (bands + 1);
  const corner = (i: number) => hertz(mel(lowest) + i * step);
  return Array.from({ length: bands }, (_, band) => {
    const [left, peak, right] = [corner(band), corner(band + 1), corner(band + 2)];
    return Float64Array.from({ length: size / 2 + 1 }, (_, k) => {
      const frequency = (k * rate) / size;
      const rise = (frequency - left) / (peak - left);
      const fall = (right - frequency) / (right - peak);
      return Math.max(0, Math.min(rise, fall));
    });
  });
}

/**
 * The part of a recording around its loudest moment in which loud blocks of 10 ms follow each other without a long
 * pause; noises far from the word are left out. Some recordings have seconds of room before or after the digit.
 */
export function speech(samples: Float32Array, rate: number): Float32Array {
  const block = Math.round(0.01 * rate);
  const power = Float64Array.from({ length: Math.floor(samples.length / block) }, (_, b) =>
    samples.subarray(b * block, (b + 1) * block).reduce((sum, value) => sum + value * value, 0),
  );
  const loudest = power.indexOf(power.reduce((most, value) => Math.max(most, value), 0));
  if (loudest < 0) return samples;
  const threshold = power[loudest]! * 10 ** (-quiet / 10);
  const end = (direction: 1 | -1) => {
    let last = loudest;
    const within = (b: number) => b >= 0 && b < power.length && Math.abs(b - last) * 0.01 <= longestPause;
    for (let b = loudest; within(b); b += direction) if (power[b]! > threshold) last = b;
    return last;
  };
  return samples.subarray(end(-1) * block, (end(1) + 1) * block);
}
