// A radix-2 fast Fourier transform (Cooley & Tukey 1965), as much of one as the features need.

/**
 * Power spectrum |X[k]|^2 for k = 0..n/2 of n = `frame.length` real samples; n must be a power of two.
 * Decimation in time: bit reversal first, then butterflies over spans of 2, 4, ..., n.
 */
export function powerSpectrum(frame: Float64Array): Float64Array {
  const n = frame.length;
  const re = new Float64Array(n);
  const im = new Float64Array(n);
  for (let i = 0, j = 0; i < n; i++) {
    re[j] = frame[i]!;
    // j counts with its bits mirrored: the carry runs downwards.
    let bit = n >> 1;
    while (j & bit) {
      j ^= bit;
      bit >>= 1;
    }
    j |= bit;
  }
  for (let span = 2; span <= n; span *= 2) butterflies(re, im, span);
  return re.subarray(0, n / 2 + 1).map((value, k) => value * value + im[k]! * im[k]!);
}

/** Joins neighbouring transforms of span/2 points into one of `span` points, everywhere. */
function butterflies(re: Float64Array, im: Float64Array, span: number): void {
  const half = span / 2;
  for (let k = 0; k < half; k++) {
    const cos = Math.cos((2 * Math.PI * k) / span);
    const sin = -Math.sin((2 * Math.PI * k) / span);
    for (let even = k; even < re.length; even += span) {
      const odd = even + half;
      const oddRe = re[odd]! * cos - im[odd]! * sin;
      const oddIm = re[odd]! * sin + im[odd]! * cos;
      re[odd] = re[even]! - oddRe;
      im[odd] = im[even]! - oddIm;
      re[even] = re[even]! + oddRe;
      im[even] = im[even]! + oddIm;
    }
  }
}
