// Running sums inside scans (scan.ts): those that add up what is in registers, with all features or none left.

import type { AxisId, NodeOf } from "../../compiler/graph/graph.ts";
import type { ScanSource, ScanSum } from "./scan.ts";
import type { Sources } from "./scan-sources.ts";

type Sum = NodeOf<"sum"> | NodeOf<"contract">;

/** The sum as part of a scan, or null where it does not fit. @param batched whether the scan is */
export function sumOf(sources: Sources, node: Sum, batched: boolean): ScanSum | null {
  const { sizes: features, context } = sources;
  if (!sumsRows(sources, node, batched)) return null;
  const shapes = node.inputs.map(input => context.graph.nodes.get(input)!.type.shape);
  const labels = labelsOf(node, shapes);
  const shape = labels.map(({ size }) => size);
  const longer = labels.filter(({ size }) => size !== 1);
  if (longer.length > 0 && longer.map(({ size }) => size).join() !== features.join()) return null;
  const kept = longer.filter(label => label.kept).length;
  if (kept > 0 && kept < longer.length) return null;
  const over = longer.length === 0 ? "one" : kept > 0 ? "each" : "features";
  const terms = node.inputs.map((input, k) => {
    const dims = labels.map(label => label.dims[k]!);
    return sources.source(input, shape, dims);
  });
  if (terms.includes(null)) return null;
  const reference = context.places.of(node.id);
  const strides = over === "each" ? sources.stridesOf(reference) : features.map(() => 0);
  return { node: node.id, sources: terms as readonly ScanSource[], over, reference, strides };
}

/** Whether its terms are those of the scan's rows, at all steps that the rows have and no others. */
function sumsRows(
  { loop, context: { graph, bound, primary } }: Sources,
  node: Sum,
  batched: boolean,
): boolean {
  const { axes, batch } = node.attrs;
  const types = node.inputs.map(input => graph.nodes.get(input)!.type);
  const areKnown = (list: readonly AxisId[]): boolean =>
    list.every(axis => axis === loop.axis || bound.includes(axis));
  // Along other axes of loops around, an example may have ended before.
  const isOpen = (axis: AxisId): boolean =>
    axis !== primary && graph.axes.find(({ id }) => id === axis)!.length === null;
  const isEachRow = types.some(type => type.batched && type.axes.includes(loop.axis)) === batched;
  const isEachResult = batched ? node.type.batched !== batch : !batch;
  const isReal = node.type.dtype === "real";
  return (
    isReal &&
    isEachRow &&
    isEachResult &&
    !bound.some(isOpen) &&
    [axes, ...types.map(t => t.axes)].every(areKnown)
  );
}

/** A label of a sum: its size, the dimension of each operand that it is (-1: none), whether the result has it. */
interface Label {
  readonly size: number;
  readonly dims: readonly number[];
  readonly kept: boolean;
}

/** The feature labels of a sum, those of the result first. */
function labelsOf({ op, attrs }: Sum, shapes: readonly (readonly number[])[]): readonly Label[] {
  if (op === "sum") {
    const labels = shapes[0]!.map((size, d) => ({ size, dims: [d], kept: !attrs.dims.includes(d) }));
    return labels.toSorted((a, b) => Number(b.kept) - Number(a.kept));
  }
  const { left, right, out } = attrs;
  return [...new Set([...out, ...left, ...right])].map(label => {
    const dims = [left.indexOf(label), right.indexOf(label)];
    const size = dims[0]! < 0 ? shapes[1]![dims[1]!]! : shapes[0]![dims[0]!]!;
    return { size, dims, kept: out.includes(label) };
  });
}
