// Checks one call's data against the program and cuts padded axes to the longest example, for all backends alike.
// What it returns needs no further look; what is wrong is reported all at once.

import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../compiler/diagnostics/error.ts";
import { nearest } from "../compiler/diagnostics/nearest.ts";
import { report } from "../compiler/diagnostics/report.ts";
import type { Axis, AxisId } from "../compiler/graph/graph.ts";
import type { InputSpec } from "../compiler/lower/model.ts";
import { isSize, showShape, sizeOf } from "../compiler/ops/shapes.ts";
import type { Program } from "../compiler/program/program.ts";
import type { Feeds, Tensor } from "./api.ts";
import { elementTypeOf, holdsItsType } from "./tensor.ts";

/** Feeds that fit the program. */
export interface NormalFeeds {
  readonly batch: number;
  /** For every input of the program: `[batch, ...axes, ...shape]`, each axis cut to its extent. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Each example's own length, for every axis of unknown length. */
  readonly lengths: ReadonlyMap<AxisId, Int32Array>;
  /** The longest example's length, or the static length, for every axis of the graph. */
  readonly extents: ReadonlyMap<AxisId, number>;
  readonly seed: number;
  readonly step: number;
}

/** Throws a FrondError with everything that is wrong. */
export function normalizeFeeds(program: Program, feeds: Feeds): NormalFeeds {
  if (!isSize(feeds.batch)) refuse([report("F0904", { found: feeds.batch }, null)]);
  const problems: Diagnostic[] = [...checkNames(program, feeds)];
  const fed = program.inputs.flatMap(spec => {
    const tensor = feeds.inputs.get(spec.name);
    return tensor === undefined ? [] : [{ spec, tensor }];
  });
  for (const entry of fed) problems.push(...checkArray(program, feeds.batch, entry));
  refuse(problems);
  const dynamic = program.graph.axes.filter(({ length }) => length === null);
  const lengths = new Map<AxisId, Int32Array>();
  for (const { id } of dynamic) lengths.set(id, lengthsAlong(feeds, id, fed, problems));
  for (const axis of feeds.lengths.keys()) problems.push(...checkLengthsName(program, axis));
  refuse(problems);
  const extents = new Map(
    program.graph.axes.map(({ id, length }) => [id, length ?? longest(lengths.get(id))] as const),
  );
  for (const entry of fed) problems.push(...checkIndices(entry, lengths, feeds.batch));
  refuse(problems);
  const inputs = new Map(
    fed.map(({ spec, tensor }) => [spec.name, trim(tensor, spec.axes, extents)] as const),
  );
  return { batch: feeds.batch, inputs, lengths, extents, seed: feeds.seed, step: feeds.step };
}

/** The extents of all axes, from those of the axes of unknown length. Throws a FrondError where one is missing. */
export function extentsOfAll(
  { graph }: Program,
  batch: number,
  open: ReadonlyMap<AxisId, number>,
): ReadonlyMap<AxisId, number> {
  if (!isSize(batch)) refuse([report("F0904", { found: batch }, null)]);
  const extents = graph.axes.map(({ id, length }) => [id, length ?? open.get(id)] as const);
  const missing = extents.filter(([, extent]) => extent === undefined || !isSize(extent));
  refuse(missing.map(([axis]) => report("F0810", { axis }, null)));
  return new Map(extents.map(([axis, extent]) => [axis, extent!]));
}

interface Fed {
  readonly spec: InputSpec;
  readonly tensor: Tensor;
}

function refuse(problems: readonly Diagnostic[]): void {
  if (problems.length > 0) throw new FrondError(problems);
}

const longest = (lengths: Int32Array | undefined): number =>
  lengths?.reduce((most, length) => Math.max(most, length), 0) ?? 0;

function checkNames({ inputs }: Program, feeds: Feeds): readonly Diagnostic[] {
  const known = inputs.map(({ name }) => name);
  const missing = inputs
    .filter(({ name }) => !feeds.inputs.has(name))
    .map(({ name, span }) => report("F0801", { name }, span, { help: [`feed an array named \`${name}\``] }));
  const unknown = [...feeds.inputs.keys()]
    .filter(name => !known.includes(name))
    .map(name => {
      const near = nearest(name, known);
      const list = known.length === 0 ? "the program has no inputs" : `its inputs are ${known.join(", ")}`;
      return report("F0802", { name }, null, {
        help: [near === null ? list : `did you mean \`${near}\`?`],
      });
    });
  return [...missing, ...unknown];
}

/** Element type, rank, sizes, number of elements, number of examples. */
function checkArray(program: Program, batch: number, { spec, tensor }: Fed): readonly Diagnostic[] {
  const { name, span } = spec;
  if (tensor.dtype !== spec.dtype || !holdsItsType(tensor)) {
    const found = elementTypeOf(tensor, spec.dtype);
    return [report("F0803", { name, found, expected: spec.dtype }, span)];
  }
  const axes = spec.axes.map(id => program.graph.axes.find(axis => axis.id === id)!);
  const sizes: readonly (number | null)[] = [null, ...axes.map(({ length }) => length), ...spec.shape];
  const fits =
    tensor.shape.length === sizes.length && tensor.shape.every((n, d) => sizes[d] === null || n === sizes[d]);
  if (!fits) return [wrongShape(spec, tensor, axes)];
  const expected = sizeOf(tensor.shape);
  const found = tensor.data.length;
  if (found !== expected)
    return [report("F0805", { name, found, shape: showShape(tensor.shape), expected }, span)];
  if (tensor.shape[0] === batch) return [];
  return [report("F0806", { name, found: tensor.shape[0]!, expected: batch }, span)];
}

function wrongShape(spec: InputSpec, tensor: Tensor, axes: readonly Axis[]): Diagnostic {
  const expected = ["batch", ...axes.map(({ id, length }) => length ?? id), ...spec.shape];
  const help =
    tensor.shape.length === expected.length - 1
      ? ["the first dimension is the batch, for one example too"]
      : [];
  const values = { name: spec.name, found: showShape(tensor.shape), expected: `[${expected.join(", ")}]` };
  return report("F0804", values, spec.span, { label: "declared here", help });
}

/** The lengths given, checked against the arrays; without them the arrays' common dimension. */
function lengthsAlong(feeds: Feeds, axis: AxisId, fed: readonly Fed[], problems: Diagnostic[]): Int32Array {
  const arrays = fed.flatMap(({ spec, tensor }) => {
    const dim = spec.axes.indexOf(axis);
    return dim < 0 ? [] : [{ spec, size: tensor.shape[dim + 1]! }];
  });
  const given = feeds.lengths.get(axis);
  if (given !== undefined) {
    const limit = arrays.reduce((least, { size }) => Math.min(least, size), Number.POSITIVE_INFINITY);
    problems.push(...checkLengths(feeds.batch, axis, given, limit));
    return given;
  }
  const [first] = arrays;
  if (first === undefined) {
    problems.push(
      report("F0810", { axis }, null, { help: [`give each example's length along \`${axis}\``] }),
    );
    return new Int32Array(feeds.batch);
  }
  for (const { spec, size } of arrays) {
    if (size === first.size) continue;
    const values = { name: spec.name, found: size, axis, other: first.spec.name, expected: first.size };
    problems.push(report("F0811", values, spec.span));
  }
  return new Int32Array(feeds.batch).fill(first.size);
}

function checkLengths(
  batch: number,
  axis: AxisId,
  lengths: Int32Array,
  limit: number,
): readonly Diagnostic[] {
  if (lengths.length !== batch) {
    return [report("F0807", { found: lengths.length, axis, expected: batch }, null)];
  }
  const example = lengths.findIndex(length => !(Number.isInteger(length) && length >= 0 && length <= limit));
  if (example < 0) return [];
  return [report("F0808", { example, found: lengths[example]!, axis, limit }, null)];
}

function checkLengthsName({ graph }: Program, axis: AxisId): readonly Diagnostic[] {
  const known = graph.axes.find(({ id }) => id === axis);
  if (known?.length === null) return [];
  const reason = known === undefined ? "is no axis of the program" : `has the static length ${known.length}`;
  const near = nearest(
    axis,
    graph.axes.map(({ id }) => id),
  );
  const help = known === undefined && near !== null ? [`did you mean \`${near}\`?`] : [];
  return [report("F0812", { axis, reason }, null, { help })];
}

/** Positions of `index(n)` inputs at real steps; the first one outside is reported. */
function checkIndices(
  fed: Fed,
  lengths: ReadonlyMap<AxisId, Int32Array>,
  batch: number,
): readonly Diagnostic[] {
  const { classes, name, span } = fed.spec;
  if (classes === null) return [];
  const { shape, data } = fed.tensor;
  const i = findIndex(fed, lengths, batch, value => !(value >= 0 && value < classes));
  if (i === null) return [];
  const values = { name, value: data[i]!, place: showShape(unravel(i, shape)), last: classes - 1 };
  return [report("F0809", values, span)];
}

/** Where the first number at a real step is that is looked for; null where there is none. */
export function findIndex(
  { spec: { axes }, tensor: { shape, data } }: Fed,
  lengths: ReadonlyMap<AxisId, Int32Array>,
  batch: number,
  isWanted: (value: number) => boolean,
): number | null {
  const perExample = batch === 0 ? 0 : data.length / batch;
  for (let i = 0; i < data.length; i++) {
    if (!isWanted(data[i]!)) continue;
    const place = unravel(i, shape);
    const example = Math.floor(i / perExample);
    if (axes.every((axis, d) => place[d + 1]! < (lengths.get(axis)?.[example] ?? Infinity))) return i;
  }
  return null;
}

function unravel(index: number, shape: readonly number[]): readonly number[] {
  const place = new Array<number>(shape.length).fill(0);
  let rest = index;
  for (let d = shape.length - 1; d >= 0; d--) {
    place[d] = rest % shape[d]!;
    rest = Math.floor(rest / shape[d]!);
  }
  return place;
}

/** Cuts each axis to its extent; the same tensor where nothing is cut. */
function trim(tensor: Tensor, axes: readonly AxisId[], extents: ReadonlyMap<AxisId, number>): Tensor {
  let cut = tensor;
  for (const [d, axis] of axes.entries()) cut = cutDimension(cut, d + 1, extents.get(axis)!);
  return cut;
}

function cutDimension(tensor: Tensor, dim: number, size: number): Tensor {
  const { shape, dtype } = tensor;
  const from = shape[dim]!;
  if (from === size) return tensor;
  const after = sizeOf(shape.slice(dim + 1));
  const before = sizeOf(shape.slice(0, dim));
  const data = tensor.data.slice(0, before * size * after);
  for (let block = 0; block < before; block++) {
    const start = block * from * after;
    data.set(tensor.data.subarray(start, start + size * after), block * size * after);
  }
  return { dtype, shape: shape.map((n, d) => (d === dim ? size : n)), data };
}
