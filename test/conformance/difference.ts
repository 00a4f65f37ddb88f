// What a backend computes of a case, how far that is from what is expected, and at which node it begins.

import type { Backend, Tensor } from "../../backends/api.ts";
import { reference } from "../../backends/reference/index.ts";
import { printNode } from "../../compiler/graph/text.ts";
import type { Program } from "../../compiler/index.ts";
import { diff } from "../../runtime/diff.ts";
import { outputsError } from "../harness/differences.ts";
import { tolerances } from "../harness/tolerances.ts";
import { feedsOf, runsOn, trainOn, valuesOf } from "../harness/training.ts";
import type { Aspect, Case, Environment } from "./cases.ts";

/** `RUN.RESULT` of every run, and after training the variables. */
type Values = ReadonlyMap<string, Tensor>;

/** Null where the backend computes what is expected; else what differs, by how much, and where that begins. */
export async function differenceOf(
  each: Case,
  aspect: Aspect,
  backend: Backend,
  expected: Values,
): Promise<string | null> {
  const actual = await compute(each, aspect, backend);
  const allowed = backend.name === "reference" ? tolerances.rearranged : each.tolerance(aspect);
  for (const [name, tensor] of expected) {
    const own = actual.get(name);
    const error =
      own === undefined
        ? Number.POSITIVE_INFINITY
        : outputsError(new Map([[name, own]]), new Map([[name, tensor]]));
    if (error < allowed) continue;
    const begins = await partingOf(each, aspect, backend, Number.parseInt(name, 10) || 0);
    return `${name} differs by ${error}, where ${allowed} is tolerated; ${begins}`;
  }
  return null;
}

export function compute(
  each: Case,
  aspect: Aspect,
  backend: Backend,
  unroll: "full" | 1 = 1,
): Promise<Values> {
  const program = each.program(aspect);
  const environments = each.environments(aspect, program);
  const run = aspect === "steps" ? trainOn : runsOn;
  return run(backend, program, environments, { unroll });
}

/** The node where a run parts from the reference, from the same values on. */
async function partingOf(each: Case, aspect: Aspect, backend: Backend, run: number): Promise<string> {
  const program = each.program(aspect);
  const environments = each.environments(aspect, program);
  const [first, own] = [environments[0]!, environments[run]!];
  const { parting } = await diff({
    backends: [reference, backend],
    program,
    weights:
      aspect === "steps" ? await trained(program, environments.slice(0, run), first) : valuesOf(program, own),
    feeds: aspect === "steps" ? { ...feedsOf(own), step: run } : feedsOf(own),
    tolerance: each.tolerance(aspect),
  });
  if (parting === null) return "no node of that run differs by itself";
  const { node, place, values } = parting;
  const at = JSON.stringify({ ...place, positions: Object.fromEntries(place.positions) });
  return `it parts from the reference at ${printNode(node)}, ${at}: ${values[1]} for ${values[0]}`;
}

async function trained(
  program: Program,
  environments: readonly Environment[],
  first: Environment,
): Promise<Values> {
  return environments.length === 0 ? valuesOf(program, first) : trainOn(reference, program, environments);
}
