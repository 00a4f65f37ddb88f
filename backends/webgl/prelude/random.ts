// The random numbers of compiler/ops/random.ts: Philox 4x32-10 on (example, position, feature, site) under the key
// (seed, step). Uniform numbers are the same to the bit.

export const random = {
  /** The upper half of a product; the language has none of 64 bits, so it is made of 16-bit pieces. */
  multiplyHigh: `uint multiplyHigh(uint a, uint b) {
  uint a0 = a & 0xffffu, a1 = a >> 16, b0 = b & 0xffffu, b1 = b >> 16;
  uint middle = a1 * b0 + ((a0 * b0) >> 16);
  uint other = a0 * b1 + (middle & 0xffffu);
  return a1 * b1 + (middle >> 16) + (other >> 16);
}`,
  philox: `uvec4 philox(uvec4 c, uvec2 key) {
  for (int round = 0; round < 10; round++) {
    c = uvec4(
      multiplyHigh(0xcd9e8d57u, c.z) ^ c.y ^ key.x, 0xcd9e8d57u * c.z,
      multiplyHigh(0xd2511f53u, c.x) ^ c.w ^ key.y, 0xd2511f53u * c.x);
    key += uvec2(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}`,
  /** Words as numbers strictly between 0 and 1, of 24 bits. */
  unitInterval: "vec2 unitInterval(uvec2 words) { return (vec2(words >> 9) + 0.5) * 1.1920928955078125e-7; }",
  drawn: `vec2 drawn(int example, int position, int feature, int site, int seed, int step) {
  return unitInterval(philox(uvec4(example, position, feature, site), uvec2(seed, step)).xy);
}`,
  uniform1: `float uniform1(int example, int position, int feature, int site, int seed, int step) {
  return drawn(example, position, feature, site, seed, step).x;
}`,
  /** By Box & Muller (1958); the reduction of a fraction of a turn is exact. */
  normal1: `float normal1(int example, int position, int feature, int site, int seed, int step) {
  vec2 uv = drawn(example, position, feature, site, seed, step);
  float quarters = floor(uv.y * 4.0 + 0.5);
  float r = (uv.y * 4.0 - quarters) * ${Math.PI / 2};
  return sqrt(-2.0 * log1(uv.x)) * ofQuarters1(int(quarters) + 1, r);
}`,
} as const satisfies Readonly<Record<string, string>>;
