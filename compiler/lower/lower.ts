// Lowers a checked model to its recurrence graph: layers inlined, sizes worked out, boundaries and directions turned
// into shifts, primitives into ops. What the language means is in spec/language.md; nothing here knows an LSTM.

import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import type { NodeId } from "../graph/graph.ts";
import type { TypedDefinition, TypedEquation, TypedGenerate } from "../semantics/typed.ts";
import { microTotals } from "./builtins/reductions.ts";
import { BuiltinUse } from "./builtins/use.ts";
import { lowerExpression } from "./expression.ts";
import { lowerTrain } from "./initializer.ts";
import { type Instance, modelInstance, type Scope } from "./instance.ts";
import { Lowering } from "./lowering.ts";
import type { GenerateSpec, InputSpec, LoweredModel, Mode } from "./model.ts";
import { asType, nodeOfName } from "./names.ts";
import { evaluateNumber, type StaticValue } from "./statics.ts";
import { tidy } from "./tidy.ts";

export interface LowerOptions {
  /** Values of the model's `size`, `number` and `bool` arguments; others take their defaults. */
  readonly sizes: ReadonlyMap<string, StaticValue>;
  readonly mode: Mode;
}

export interface LowerResult {
  /** Null when there are errors. */
  readonly lowered: LoweredModel | null;
  /** Whether the other mode gives another graph: the model drops out or the like. */
  readonly dependsOnMode: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

export function lower(model: TypedDefinition, options: LowerOptions): LowerResult {
  const lowering = new Lowering(options.mode);
  const root = modelInstance(lowering, model, options.sizes);
  if (root === null) return { lowered: null, dependsOnMode: false, diagnostics: lowering.diagnostics };
  const inputs = lowering.attempt(() => inputSpecs(root));
  for (const equation of model.equations.values()) {
    lowering.attempt(() => lowerResult(root, equation));
  }
  const generate = lowering.attempt(() => lowerGenerate(root));
  const train = model.train;
  const config = train === null ? null : lowering.attempt(() => lowerTrain(train, root));
  lowering.run();
  if (lowering.diagnostics.length > 0 || inputs === null || generate === null) {
    return { lowered: null, dependsOnMode: false, diagnostics: lowering.diagnostics };
  }
  const { graph, names } = finish(lowering);
  const equations = [...model.equations.values()];
  const lowered: LoweredModel = {
    name: model.name,
    graph,
    inputs,
    parameters: [...lowering.parameters.values()].map(({ spec }) => spec),
    outputs: equations.filter(({ role }) => role === "output").map(({ name }) => name),
    metrics: equations.filter(({ role }) => role === "metric").map(({ name }) => name),
    train: config,
    generate,
    names,
    equations: lowering.equations,
    layers: lowering.layers,
  };
  return { lowered, dependsOnMode: lowering.dependsOnMode, diagnostics: [] };
}

const inputSpecs = (root: Instance): readonly InputSpec[] =>
  root.definition.values.map(({ name, role, type, span }) => {
    const axes = root.lowering.builder.typeOf(nodeOfName(root, name)).axes;
    const classes = type.classes === null ? null : root.size(type.classes, span);
    return { name, role, dtype: type.dtype, shape: root.shape(type, span), axes, classes, span };
  });

/** Makes the graph's outputs of an equation that has a role. */
function lowerResult(root: Instance, equation: TypedEquation): void {
  const { builder } = root.lowering;
  const { name, role } = equation;
  if (role === "output") builder.output(`output.${name}`, nodeOfName(root, name));
  if (role !== "loss" && role !== "metric") return;
  // A micro mean is two totals and has no value of its own.
  root.lowering.equations.set(name, equation);
  builder.withPlace({ span: equation.span, label: name }, () => {
    const { total, count } = totals(root, equation);
    const prefix = role === "loss" ? "loss" : `metric.${name}`;
    builder.output(`${prefix}.total`, total);
    builder.output(`${prefix}.count`, count);
    if (role === "loss")
      builder.output("loss", builder.div(total, builder.maximum(count, builder.constant(1))));
  });
}

interface Totals {
  readonly total: NodeId;
  readonly count: NodeId;
  /** The count, but never 0. */
  readonly divisor: NodeId;
}

/** Of a micro mean the sum over all steps and their number, of others the sum over the examples and theirs. */
function totals(root: Instance, equation: TypedEquation): Totals {
  const { builder } = root.lowering;
  const { value } = equation;
  if (value.kind === "builtin" && value.name === "microMean") {
    const scope = root.scopeOf(equation);
    const { total, count } = microTotals(
      new BuiltinUse(value, scope, arg => lowerExpression(arg, scope), null),
    );
    return { total, count, divisor: builder.maximum(count, builder.constant(1)) };
  }
  const real = asType(builder, nodeOfName(root, equation.name), { dtype: "real", shape: [], axes: [] });
  const each = builder.broadcast(real, { batched: true });
  const count = builder.batchSize();
  return { total: builder.sum(each, { batch: true }), count, divisor: count };
}

/** The values fed back and the condition to stop; in here `out[t+1]` is what the statement gives for `out`. */
function lowerGenerate(root: Instance): readonly GenerateSpec[] {
  const { builder } = root.lowering;
  const { generate } = root.definition;
  const generated = new Map<string, () => NodeId>();
  const scopeOf = (input: string): Scope => ({ instance: root, label: `generate.${input}`, generated });
  for (const { input, value } of generate) generated.set(input, () => lowerExpression(value, scopeOf(input)));
  const conditions: NodeId[] = [];
  for (const { input, until, span } of generate) {
    builder.withPlace({ span, label: `generate.${input}` }, () => {
      builder.output(`generate.${input}`, generated.get(input)!());
      if (until !== null) conditions.push(lowerExpression(until, scopeOf(input)));
    });
  }
  if (conditions.length > 0) {
    builder.output(
      "generate.until",
      conditions.reduce((a, b) => builder.or(a, b)),
    );
  }
  return generate.map(statement => ({
    input: statement.input,
    axis: root.axis(statement.axis).id,
    from: startValue(root, statement),
    hasUntil: statement.until !== null,
  }));
}

/** What a generated input begins with; refused where its type has no such value. */
function startValue(root: Instance, { input, from, span }: TypedGenerate): number {
  const value = from === null ? 0 : evaluateNumber(from, root.statics);
  const { type } = root.definition.values.find(({ name }) => name === input)!;
  if (type.dtype === "real") return value;
  const classes = type.classes === null ? 2 : root.size(type.classes, span);
  if (Number.isInteger(value) && value >= 0 && value < classes) return value;
  root.refuse(report("F0720", { name: "from", wanted: `a whole number, 0 to ${classes - 1}`, value }, span));
}

/** The builder's graph tidied, with the names of equations that are in it. */
function finish(lowering: Lowering): Pick<LoweredModel, "graph" | "names"> {
  const { builder, names } = lowering;
  // The names travel as outputs, so that the builder resolves their placeholders.
  const prefix = "\u0000name ";
  for (const [name, id] of names) builder.output(prefix + name, id);
  const built = builder.finish();
  const entries = [...built.outputs];
  const outputs = new Map(entries.filter(([name]) => !name.startsWith(prefix)));
  const { graph, renamed } = tidy({ ...built, outputs });
  const kept = entries.flatMap(([name, id]) => {
    const node = name.startsWith(prefix) ? renamed(id) : null;
    return node === null ? [] : [[name.slice(prefix.length), node] as const];
  });
  return { graph, names: new Map(kept) };
}
