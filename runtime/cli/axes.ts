// The axes of a model whose lengths the command line may give.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { didYouMean } from "../../compiler/diagnostics/nearest.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import type { CompiledModel } from "../model.ts";

/** Those whose length only data know. */
export const openAxes = (model: CompiledModel): readonly AxisId[] =>
  model
    .infer()
    .graph.axes.filter(({ length }) => length === null)
    .map(({ id }) => id);

/** A length for an axis that there is not would be ignored. */
export function checkAxes(model: CompiledModel, given: readonly string[]): void {
  const names = openAxes(model);
  const problems = given
    .filter(axis => !names.some(name => name === axis))
    .map(axis => {
      const near = didYouMean(axis, names);
      const help = near.length > 0 ? near : [`the axes are ${names.join(", ") || "none"}`];
      return report("F0812", { axis, reason: "is no axis whose length is open" }, null, { help });
    });
  if (problems.length > 0) throw new FrondError(problems);
}
