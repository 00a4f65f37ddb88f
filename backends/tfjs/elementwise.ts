// FrondElementwise: a loop nest over strided operands whose body is generated JavaScript. One nest computes a whole
// group of elementwise nodes; what lies between them stays in registers.

import { collapse, type Nest } from "../plan/layout.ts";
import type { FrondKernel, Values } from "./device.ts";
import { prelude } from "./expressions.ts";

/** A loop body: `loads` operands are read as `l0`, `l1`, ..; statements; then the stores' texts. */
export interface Body {
  readonly loads: number;
  readonly statements: readonly string[];
  /** What is written to operand `loads + k`. */
  readonly stores: readonly string[];
}

type Loop = (values: readonly Values[], offsets: Int32Array, sizes: Int32Array, strides: Int32Array) => void;

export interface ElementwiseSpec {
  readonly loop: Loop;
  readonly sizes: Int32Array;
  /** Stride of operand k along dimension d at `k * rank + d`. */
  readonly strides: Int32Array;
}

export const elementwiseKernel: FrondKernel<ElementwiseSpec> = (values, offsets, spec) =>
  spec.loop(values, offsets, spec.sizes, spec.strides);

/** A copy from operand 0 to operand 1. */
export const copyBody: Body = { loads: 1, statements: [], stores: ["l0"] };

/** A constant written to operand 0. */
export const fillBody = (text: string): Body => ({ loads: 0, statements: [], stores: [text] });

/** The spec of a body over a nest that has elements. */
export function elementwiseSpec(body: Body, nest: Nest): ElementwiseSpec {
  let { sizes, strides } = collapse(nest);
  if (sizes.length === 0) {
    sizes = [1];
    strides = nest.strides.map(() => [1]);
  }
  const inner = strides.map(operand => innerClass(operand.at(-1) ?? 0));
  return {
    loop: compiled(body, sizes.length, inner),
    sizes: Int32Array.from(sizes),
    strides: Int32Array.from(strides.flat()),
  };
}

/** How the innermost loop walks an operand: it stays, goes on by one, or jumps. */
type Inner = "fixed" | "next" | "jump";
const innerClass = (stride: number): Inner => (stride === 0 ? "fixed" : stride === 1 ? "next" : "jump");

/** Generated loops by their source: equal bodies of different programs share one, and its optimised machine code. */
const loops = new Map<string, Loop>();

function compiled(body: Body, rank: number, inner: readonly Inner[]): Loop {
  const source = loopSource(body, rank, inner);
  const known = loops.get(source);
  if (known !== undefined) return known;
  const loop = new Function(`"use strict";${prelude}return ${source}`)() as Loop;
  loops.set(source, loop);
  return loop;
}

/** The source of a nest of `rank` loops; `pK_D` is operand K's position at depth D. */
function loopSource({ loads, statements, stores }: Body, rank: number, inner: readonly Inner[]): string {
  const operands = inner.map((_, k) => k);
  const last = rank - 1;
  const lines = [
    ...operands.map(k => `const x${k} = x[${k}];`),
    ...operands.flatMap(k =>
      Array.from(
        { length: inner[k] === "jump" ? rank : last },
        (_, d) => `const s${k}_${d} = s[${k * rank + d}];`,
      ),
    ),
    ...operands.map(k => `let p${k}_0 = o[${k}];`),
  ];
  const element = (k: number): string => `x${k}[p${k}_${last}${inner[k] === "next" ? " + i" : ""}]`;
  for (let d = 0; d < last; d++) {
    lines.push(`for (let n${d} = n[${d}]; n${d} > 0; n${d}--) {`);
    lines.push(...operands.map(k => `let p${k}_${d + 1} = p${k}_${d};`));
  }
  const reads = operands.slice(0, loads);
  lines.push(...reads.filter(k => inner[k] === "fixed").map(k => `const l${k} = ${element(k)};`));
  lines.push(`for (let i = 0, m = n[${last}]; i < m; i++) {`);
  lines.push(...reads.filter(k => inner[k] !== "fixed").map(k => `const l${k} = ${element(k)};`));
  lines.push(...statements, ...stores.map((text, k) => `${element(loads + k)} = ${text};`));
  lines.push(...operands.filter(k => inner[k] === "jump").map(k => `p${k}_${last} += s${k}_${last};`), "}");
  for (let d = last - 1; d >= 0; d--) lines.push(...operands.map(k => `p${k}_${d} += s${k}_${d};`), "}");
  return `(x, o, n, s) => {\n${lines.join("\n")}\n}`;
}
