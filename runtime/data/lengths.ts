// How long each example is along each axis: from the lengths that the arrays bring, or from the arrays' own sizes.
// Every array along an axis must allow the same answer.

import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { Axis, AxisId } from "../../compiler/graph/graph.ts";
import { staticLength } from "../axes.ts";
import type { Candidate } from "./bind.ts";
import type { Dataset } from "./dataset.ts";

/** What one array says about one axis. */
interface Claim {
  readonly name: string;
  /** Given by the file; else each example fills the array. */
  readonly explicit: boolean;
  /** The array's size along the axis. */
  readonly size: number;
  readonly lengths: Int32Array;
}

/** The lengths of every axis of unknown length that a candidate has; what is wrong is added to `problems`. */
export function axisLengths(
  dataset: Dataset,
  candidates: readonly Candidate[],
  axes: readonly Axis[],
  problems: Diagnostic[],
): ReadonlyMap<AxisId, Int32Array> {
  const claims = new Map<AxisId, Claim[]>();
  for (const entry of candidates) {
    problems.push(...checkColumns(dataset, entry));
    for (const [dim, id] of entry.spec.axes.entries()) {
      const claim = claimOf(dataset, entry, dim);
      problems.push(...checkRange(dataset, claim, dim, entry, axes));
      claims.set(id, [...(claims.get(id) ?? []), claim]);
    }
  }
  const result = new Map<AxisId, Int32Array>();
  for (const [id, all] of claims) {
    if (staticLength(axes, id) !== null) continue;
    // Given lengths decide; without any, the arrays' sizes must be equal.
    const judge = all.find(claim => claim.explicit) ?? all[0]!;
    for (const claim of all) problems.push(...disagreement(dataset, id, judge, claim));
    result.set(id, judge.lengths);
  }
  return result;
}

function claimOf(dataset: Dataset, { spec, tensor, lengths }: Candidate, dim: number): Claim {
  const size = tensor.shape[dim + 1]!;
  const columns = lengths === null ? 0 : lengths.length / dataset.size;
  const explicit = dim < columns;
  const own = Int32Array.from({ length: dataset.size }, (_, i) =>
    explicit ? lengths![i * columns + dim]! : size,
  );
  return { name: spec.name, explicit, size, lengths: own };
}

/** Lengths may be given for axes only: features have one size. */
function checkColumns(dataset: Dataset, { spec, lengths }: Candidate): readonly Diagnostic[] {
  const columns = lengths === null ? 0 : lengths.length / dataset.size;
  if (columns <= spec.axes.length) return [];
  const help = `they are given for ${columns} dimensions; \`${spec.name}\` has ${spec.axes.length} axes`;
  return [report("F0837", { name: `${spec.name}.length`, file: dataset.name }, null, { help: [help] })];
}

function checkRange(
  dataset: Dataset,
  { lengths, size }: Claim,
  dim: number,
  { spec }: Candidate,
  axes: readonly Axis[],
): readonly Diagnostic[] {
  const id = spec.axes[dim]!;
  const fixed = staticLength(axes, id);
  const odd = lengths.findIndex(length => (fixed === null ? length > size : length !== fixed));
  if (odd < 0) return [];
  const range = fixed === null ? `0 to ${size}, the array's own size` : `${fixed} for every example`;
  const help = `example ${odd} has length ${lengths[odd]} along \`${id}\`; legal is ${range}`;
  return [report("F0837", { name: `${spec.name}.length`, file: dataset.name }, null, { help: [help] })];
}

function disagreement(dataset: Dataset, axis: AxisId, judge: Claim, claim: Claim): readonly Diagnostic[] {
  const differs = (own: number, i: number) =>
    judge.explicit && !claim.explicit ? own < judge.lengths[i]! : own !== judge.lengths[i]!;
  const odd = claim.lengths.findIndex(differs);
  if (odd < 0) return [];
  const values = { first: judge.name, second: claim.name, file: dataset.name, axis };
  const say = ({ name, lengths }: Claim) => `\`${name}\` has length ${lengths[odd]}`;
  return [report("F0838", values, null, { help: [`in example ${odd}, ${say(judge)} and ${say(claim)}`] })];
}
