// The random numbers of compiler/ops/random.ts: Philox 4x32-10 on (example, position, feature, site) under the key
// (seed, step). Uniform numbers are the same to the bit.

const parameters = "example: i32, position: i32, feature: i32, site: i32, seed: i32, step: i32";

export const random = {
  /** The upper half of a product; the language has none of 64 bits, so it is made of 16-bit pieces. */
  multiplyHigh: `fn multiplyHigh(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let other = a0 * b1 + (middle & 0xffffu);
  return a1 * b1 + (middle >> 16u) + (other >> 16u);
}`,
  philox: `fn philox(counter: vec4u, given: vec2u) -> vec4u {
  var c = counter;
  var key = given;
  for (var round = 0; round < 10; round++) {
    c = vec4u(
      multiplyHigh(0xcd9e8d57u, c.z) ^ c.y ^ key.x, 0xcd9e8d57u * c.z,
      multiplyHigh(0xd2511f53u, c.x) ^ c.w ^ key.y, 0xd2511f53u * c.x);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return c;
}`,
  /** Words as numbers strictly between 0 and 1, of 24 bits. */
  unitInterval: `fn unitInterval(words: vec2u) -> vec2f {
  return (vec2f(words >> vec2u(9u)) + 0.5) * 1.1920928955078125e-7;
}`,
  drawn: `fn drawn(${parameters}) -> vec2f {
  let place = vec4i(example, position, feature, site);
  return unitInterval(philox(bitcast<vec4u>(place), bitcast<vec2u>(vec2i(seed, step))).xy);
}`,
  uniform1: `fn uniform1(${parameters}) -> f32 {
  return drawn(example, position, feature, site, seed, step).x;
}`,
  /** By Box & Muller (1958); the reduction of a fraction of a turn is exact. */
  normal1: `fn normal1(${parameters}) -> f32 {
  let uv = drawn(example, position, feature, site, seed, step);
  let quarters = floor(uv.y * 4.0 + 0.5);
  let r = (uv.y * 4.0 - quarters) * ${Math.PI / 2};
  return sqrt(-2.0 * log1(uv.x)) * ofQuarters1(i32(quarters) + 1, r);
}`,
} as const satisfies Readonly<Record<string, string>>;
