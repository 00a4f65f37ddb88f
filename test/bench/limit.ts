// What 128-bit vectors can do here at most: twelve independent chains of multiply and add, in a WebAssembly module of
// some 300 bytes put together by hand, so that nothing of Frond's measures itself.

import { Sampler, type Timed } from "./timer.ts";

/** Enough to hide the latencies of both; more do not fit the registers beside the two factors. */
const chains = 12;
const iterations = 20_000;
const flopsACall = chains * 4 * 2 * iterations;

/** GFLOP/s of a call that took so many milliseconds. */
export const limitOf = (ms: number): number => flopsACall / ms / 1e6;

/** The loop, ready to be timed. */
export function limitLoop(): Timed {
  const module = new WebAssembly.Module(loopModule());
  const { run } = new WebAssembly.Instance(module).exports as { run: (iterations: number) => number };
  return new Sampler(() => run(iterations));
}

const v128 = 0x7b;
const [localGet, localSet, localTee] = [0x20, 0x21, 0x22];
const simd = (op: number): readonly number[] => [0xfd, ...leb(op)];
const [splat, lane0, add, mul] = [simd(19), [...simd(31), 0], simd(228), simd(230)];

/** `(func (export "run") (param i32) (result f32))`: local 0 counts down, then the chains, the factor, the summand. */
function loopModule(): Uint8Array<ArrayBuffer> {
  const [factor, summand] = [chains + 1, chains + 2];
  const each = Array.from({ length: chains }, (_, i) => i + 1);
  const body = [
    ...[1, chains + 2, v128],
    ...each.flatMap(chain => start(chain, chain)),
    ...start(factor, 0.999),
    ...start(summand, 0.001),
    ...[0x03, 0x40],
    ...each.flatMap(chain => [
      ...[localGet, chain, localGet, factor, ...mul],
      ...[localGet, summand, ...add, localSet, chain],
    ]),
    // Counts down; goes on unless at 0; ends the loop.
    ...[localGet, 0, 0x41, 1, 0x6b, localTee, 0, 0x0d, 0, 0x0b],
    ...each.flatMap(chain => [localGet, chain, ...(chain > 1 ? add : [])]),
    ...[...lane0, 0x0b],
  ];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 1, 0x7f, 1, 0x7d]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, ...new TextEncoder().encode("run"), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

/** `local = splat(value)` */
const start = (local: number, value: number): readonly number[] => [
  ...[0x43, ...new Uint8Array(Float32Array.of(value).buffer)],
  ...[...splat, localSet, local],
];

const section = (id: number, content: readonly number[]): readonly number[] => [
  id,
  ...leb(content.length),
  ...content,
];

/** Unsigned LEB128. */
function leb(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
