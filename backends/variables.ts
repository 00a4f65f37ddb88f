// Parameters and states as every backend sees them: which a program has, and whether the values for them fit. What
// is wrong is said in the same words on all backends.

import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../compiler/diagnostics/error.ts";
import { nearest } from "../compiler/diagnostics/nearest.ts";
import { report } from "../compiler/diagnostics/report.ts";
import type { AxisId, DType } from "../compiler/graph/graph.ts";
import { showShape, sizeOf } from "../compiler/ops/shapes.ts";
import type { Program } from "../compiler/program/program.ts";
import { InternalError } from "../compiler/unreachable.ts";
import type { Tensor } from "./api.ts";
import { elementTypeOf, holdsItsType } from "./tensor.ts";

/** A parameter or state of a program. */
export interface Variable {
  readonly kind: "parameter" | "state";
  readonly name: string;
  readonly dtype: DType;
  /** `[...axes, ...shape]` */
  readonly shape: readonly number[];
}

/** The program's parameters, then its states. */
export function variablesOf({ graph, parameters, states }: Program): readonly Variable[] {
  const lengths = new Map(graph.axes.map(({ id, length }) => [id, length]));
  const sizes = (axes: readonly AxisId[]): readonly number[] =>
    axes.map(axis => {
      const length = lengths.get(axis) ?? null;
      if (length === null) throw new InternalError("variablesOf", `axis ${axis} has no static length`);
      return length;
    });
  return [
    ...parameters.map(({ name, axes, shape }): Variable => {
      return { kind: "parameter", name, dtype: "real", shape: [...sizes(axes), ...shape] };
    }),
    ...states.map(({ name, dtype, axes, shape }): Variable => {
      return { kind: "state", name, dtype, shape: [...sizes(axes), ...shape] };
    }),
  ];
}

/** The values in the order of `variables`. Throws a FrondError with all that is missing, unknown or does not fit. */
export function fittingValues(
  variables: readonly Variable[],
  values: ReadonlyMap<string, Tensor>,
): readonly Tensor[] {
  const names = variables.map(({ name }) => name);
  const problems = variables.flatMap(variable => checkValue(variable, values.get(variable.name)));
  for (const name of values.keys()) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    const help = near === null ? [] : [`did you mean \`${near}\`?`];
    problems.push(report("F0813", { name, kind: "parameter or state" }, null, { help }));
  }
  if (problems.length > 0) throw new FrondError(problems);
  return names.map(name => values.get(name)!);
}

function checkValue(variable: Variable, value: Tensor | undefined): readonly Diagnostic[] {
  const { kind, name, dtype } = variable;
  if (value === undefined) return [report("F0814", { kind, name }, null)];
  if (value.dtype !== dtype || !holdsItsType(value)) {
    return [report("F0816", { kind, name, found: elementTypeOf(value, dtype), expected: dtype }, null)];
  }
  const [shape, expected] = [showShape(value.shape), showShape(variable.shape)];
  if (shape !== expected) return [report("F0815", { kind, name, found: shape, expected }, null)];
  const [found, needed] = [value.data.length, sizeOf(value.shape)];
  if (found !== needed) return [report("F0817", { kind, name, found, shape, expected: needed }, null)];
  return [];
}

/** Whether values for the one are values for the other. */
export function sameVariables(some: readonly Variable[], others: readonly Variable[]): boolean {
  if (some === others) return true;
  return (
    some.length === others.length &&
    some.every(({ kind, name, dtype, shape }, i) => {
      const other = others[i]!;
      return (
        kind === other.kind &&
        name === other.name &&
        dtype === other.dtype &&
        showShape(shape) === showShape(other.shape)
      );
    })
  );
}
