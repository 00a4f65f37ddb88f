// The function that runs a whole program: its items in order, matrices packed before they are needed, updates last. With
// several threads, what each of them does and where they meet.

import type { Node, NodeId, OpName } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import type { Item, LoopItem } from "../plan/plan.ts";
import { add, binary, compare, FunctionBuilder, load, mul, type Operand } from "./builder.ts";
import type { Func } from "./code.ts";
import { asGradient } from "./contract.ts";
import { isShareable } from "./fused.ts";
import type { Generator } from "./generate.ts";
import { pack, packingsOf } from "./packing.ts";
import { meetings, type Share, Shares, type Unit } from "./shares.ts";
import type { Scope } from "./tasks.ts";
import { barrier, ownRows, teamWords, workerLoop } from "./team.ts";
import { copyUpdates } from "./updates.ts";

/** A stretch of the program for one thread, some, or all. */
interface ProgramUnit extends Unit<(scope: Scope) => void> {
  /** Which of those it is that threads do in turn. */
  readonly turn: number | null;
  /** Items of the plan that it computes, 0 or 1. */
  readonly items: number;
}

export interface Main {
  /** (thread) */
  readonly run: Func;
  /** What other threads run. */
  readonly exports: readonly Func[];
  /** How often threads have met before each item; empty for one thread. */
  readonly epochs: readonly number[];
}

/** The function that runs the program as one of several threads, or as the only one. */
export function mainFunction(generator: Generator): Main {
  const f = new FunctionBuilder("run");
  const thread = f.param();
  const own = ownRows(f, thread);
  const isTeam = generator.threads > 1;
  const meet = barrier();
  if (isTeam) generator.tasks.functions.push(meet);
  const team = isTeam ? { thread, threads: f.let(load("i32", 0, teamWords.threads)) } : null;
  const mine: Scope = { f, bound: new Map(), ...own, team };
  const all: Scope = { ...mine, from: f.let(0), to: f.let(generator.frame.batch) };
  const units = unitsOf(generator);
  const meets = meetings(units);
  for (const [i, { work, share }] of units.entries()) {
    if (!isTeam) {
      work(mine);
      continue;
    }
    if (meets[i]) f.call(meet, [thread]);
    if (share === "rows") work(mine);
    else if (share === "parts") work(all);
    else f.if(compare("eq", thread, nextThread(units, i)), () => work({ ...all, team: null }));
  }
  if (isTeam) f.call(meet, [thread]);
  const run = f.finish();
  return { run, exports: isTeam ? [workerLoop(run)] : [], epochs: isTeam ? epochsOf(units, meets) : [] };
}

/** Matrices are packed by the threads in turn; all else that one thread does is done by the first. */
function nextThread(units: readonly ProgramUnit[], i: number): Operand {
  const { turn } = units[i]!;
  if (turn === null) return 0;
  return binary("remU", turn, load("i32", 0, teamWords.threads));
}

function unitsOf(generator: Generator): readonly ProgramUnit[] {
  const isGradient = (node: Node): boolean =>
    node.op === "contract" && asGradient(node, generator.contractOperands(node), generator.lengthOf) !== null;
  const shares = new Shares(generator.plan, generator.program.schedule.graph, generator.inPlace, isGradient);
  const units: ProgramUnit[] = [];
  const packed = new Set<string>();
  const always = new Set(
    packingsOf(generator, generator.plan.items, []).flatMap(packing =>
      packing.notLast === null ? [packing.key] : [],
    ),
  );
  let turn = 0;
  for (const item of generator.plan.items) {
    const packings = packingsOf(generator, [item], []);
    const keys: string[] = [];
    for (const packing of packings) {
      if (packing.depth > 0) continue;
      const { key, notLast } = packing;
      const owners = shares.owners(packing.node.inputs[1 - packing.spec.rows]!);
      const isGiven = owners.every(id => given.includes(generator.node(id).op));
      keys.push(key);
      if (packed.has(key)) continue;
      packed.add(key);
      units.push({
        work: scope => {
          const make = (): void => pack(generator, scope, packing);
          const { f } = scope;
          if (notLast !== null && !always.has(key))
            f.if(compare("gt", generator.tasks.extent(notLast), 1), make);
          else if (isGiven && generator.program.updates.length === 0)
            f.if(compare("eq", generator.frame.packed, 0), make);
          else make();
        },
        share: isGiven ? "turn" : "one",
        reads: owners,
        writes: [key],
        turn: isGiven ? turn++ : null,
        items: 0,
      });
    }
    const inLoops = packings.some(({ depth }) => depth > 0);
    const share = inLoops ? "one" : shareOf(generator, shares, item);
    units.push({
      work: scope => generator.item(scope, item, []),
      share,
      reads: [...shares.reads(item), ...keys],
      writes: shares.writes(item),
      turn: null,
      items: 1,
    });
    if (item.kind === "loop" && share === "rows") units.push(...totalsOf(generator, item));
  }
  const { outputs } = generator.program.schedule.graph;
  const updated = generator.program.updates.map(({ output }) => outputs.get(output)!);
  units.push({
    work: scope => copyUpdates(generator, scope),
    share: "one",
    reads: updated.flatMap(id => shares.owners(id)),
    writes: variableNodes(generator),
    turn: null,
    items: 0,
  });
  return units;
}

/** Values that stay the same from run to run, as long as nothing updates them. */
const given: readonly OpName[] = ["parameter", "state", "constant"];

/** Nests are shared out only where they are one long row. */
function shareOf(generator: Generator, shares: Shares, item: Item): Share {
  const share = shares.shareOf(item);
  if (share !== "parts" || item.kind !== "fused") return share;
  return isShareable(generator, item) ? "parts" : "one";
}

/** Parameters and states as nodes. */
function variableNodes(generator: Generator): readonly NodeId[] {
  return [...generator.program.schedule.graph.nodes.values()].flatMap(({ op, id }) =>
    op === "parameter" || op === "state" ? [id] : [],
  );
}

/** After a loop whose running sums each thread had for itself: their totals. */
function totalsOf(generator: Generator, { accumulated }: LoopItem): readonly ProgramUnit[] {
  const sums = accumulated.filter(id => !generator.node(id).type.batched);
  if (generator.threads === 1 || sums.length === 0) return [];
  const work = ({ f }: Scope): void => {
    const threads = f.let(load("i32", 0, teamWords.threads));
    for (const id of sums) {
      const { memory } = generator.places.of(id);
      if (memory.kind !== "rows") throw new InternalError("codegen", `the sum %${id} is a delay`);
      const total = f.let(memory.base);
      f.for(1, threads, 1, thread => {
        const part = f.let(add(total, mul(thread, memory.rowBytes)));
        if (memory.rowBytes === 4) f.store(total, add(load("f32", total), load("f32", part)));
        else {
          f.for(0, memory.rowBytes, 4 * generator.target.lanes, i =>
            f.store(add(total, i), add(load("f32x", add(total, i)), load("f32x", add(part, i)))),
          );
        }
      });
    }
  };
  return [{ work, share: "one", reads: sums, writes: sums, turn: null, items: 0 }];
}

/** How often threads have met before each item. */
function epochsOf(units: readonly ProgramUnit[], meets: readonly boolean[]): readonly number[] {
  let epoch = 0;
  return units.flatMap(({ items }, i) => {
    if (meets[i]) epoch++;
    return items === 1 ? [epoch] : [];
  });
}
