// Indices are float32 numbers on a device, as all else: those that it could not tell from their neighbours are refused.

import type { Span } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { Program } from "../../compiler/program/program.ts";
import type { Tensor } from "../api.ts";
import { findIndex, type NormalFeeds } from "../feeds.ts";

/** All whole numbers below are float32 numbers, and so is what comes next to them. */
const end = 2 ** 24;

const isLarge = (value: number): boolean => Math.abs(value) >= end;

/** Of constants the number itself is known: it may be large where float32 has it. */
export function refuseLargeConstants(backend: string, { graph }: Program): void {
  for (const { op, attrs, type, label, span } of graph.nodes.values()) {
    if (op !== "constant" || type.dtype !== "index") continue;
    const large = attrs.values.find(value => Math.fround(value) !== value);
    if (large !== undefined) refuse(backend, `a constant of \`${label}\``, large, span);
  }
}

/** Of data and of lengths; what stands in padding does not matter. */
export function refuseLargeFeeds(backend: string, { inputs }: Program, fed: NormalFeeds): void {
  for (const spec of inputs) {
    if (spec.dtype !== "index" || (spec.classes ?? Infinity) <= end) continue;
    const tensor = fed.inputs.get(spec.name)!;
    const large = findIndex({ spec, tensor }, fed.lengths, fed.batch, isLarge);
    if (large !== null) refuse(backend, `an index of input \`${spec.name}\``, tensor.data[large]!, spec.span);
  }
  for (const [axis, extent] of fed.extents) {
    if (isLarge(extent)) refuse(backend, `a length along \`${axis}\``, extent, null);
  }
}

export function refuseLargeValues(backend: string, values: ReadonlyMap<string, Tensor>): void {
  for (const [name, { dtype, data }] of values) {
    const large = dtype === "index" ? data.find(isLarge) : undefined;
    if (large !== undefined) refuse(backend, `an index of state \`${name}\``, large, null);
  }
}

function refuse(backend: string, what: string, value: number, span: Span | null): never {
  const help = ["use the backend wasm"];
  throw new FrondError([report("F0916", { what, value, backend }, span, { help })]);
}
