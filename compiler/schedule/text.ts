// A schedule as text and back: the graph's text, a line `schedule`, then one step a line. What is kept stands beside
// the step that makes it; the comments are for readers and are not parsed.
//
//   schedule
//   compute %8                            # contract h
//   loop t forward {                    # general: contract h
//     compute %9 {t: ring 1}              # tanh h
//     accumulate %12                      # sum h.b
//   }

import type { AxisId, Graph, Node, NodeId } from "../graph/graph.ts";
import { parseGraph, printGraph } from "../graph/text.ts";
import { type LoopKind, loopKinds } from "./linear.ts";
import type { Keeping, Loop, Schedule, Step } from "./schedule.ts";

export type ParsedSchedule =
  | { readonly ok: true; readonly schedule: Schedule }
  /** `line` counts from 1. */
  | { readonly ok: false; readonly line: number; readonly problem: string };

export function printSchedule(schedule: Schedule): string {
  const kinds = loopKinds(schedule);
  return `${printGraph(schedule.graph)}schedule\n${printSteps(schedule, schedule.steps, kinds, "")}`;
}

type Kinds = ReadonlyMap<Loop, LoopKind>;

function printSteps(schedule: Schedule, steps: readonly Step[], kinds: Kinds, indent: string): string {
  return steps.map(step => printStep(schedule, step, kinds, indent)).join("");
}

function printStep(schedule: Schedule, step: Step, kinds: Kinds, indent: string): string {
  const { graph, keeping } = schedule;
  if (step.kind === "loop") {
    const factor = step.factor === 1 ? "" : ` by ${step.factor}`;
    const head = `${indent}loop ${printAxis(step.axis)} ${step.direction}${factor} {`;
    const body = printSteps(schedule, step.body, kinds, `${indent}  `);
    return `${head.padEnd(40)}  # ${printKind(graph, kinds.get(step)!)}\n${body}${indent}}\n`;
  }
  const offset = step.offset === 0 ? "" : ` + ${step.offset}`;
  const kept = step.offset === 0 ? printKept(keeping.get(step.node)) : "";
  const code = `${indent}${step.kind} %${step.node}${offset}${kept}`;
  return `${code.padEnd(40)}  # ${describe(graph.nodes.get(step.node))}\n`;
}

function printKind(graph: Graph, kind: LoopKind): string {
  if (kind.kind === "general") return `general: ${describe(graph.nodes.get(kind.because))}`;
  return kind.kind === "linear" ? `linear, ${kind.states} state${kind.states === 1 ? "" : "s"}` : kind.kind;
}

const describe = (node: Node | undefined): string =>
  node === undefined ? "?" : `${node.op}${node.label === "" ? "" : ` ${node.label.replaceAll(/\s+/g, " ")}`}`;

function printKept(kept: ReadonlyMap<AxisId, Keeping> | undefined): string {
  if (kept === undefined || kept.size === 0) return "";
  const entries = [...kept].map(([axis, how]) => {
    const slots = how.kind === "ring" ? ` ${how.slots}` : "";
    return `${printAxis(axis)}: ${how.kind}${slots}`;
  });
  return ` {${entries.join(", ")}}`;
}

const printAxis = (axis: AxisId): string => (/^[^\s,:"#{}]+$/u.test(axis) ? axis : JSON.stringify(axis));

export function parseSchedule(text: string): ParsedSchedule {
  const lines = text.split("\n");
  const start = lines.findIndex(line => line.trim() === "schedule");
  if (start === -1) return { ok: false, line: lines.length, problem: "there is no line `schedule`" };
  const parsed = parseGraph(lines.slice(0, start).join("\n"));
  if (!parsed.ok) return parsed;
  return parseSteps(parsed.graph, lines, start + 1);
}

/** A loop whose end is not read yet. */
interface OpenLoop {
  readonly head: Omit<Loop, "body">;
  readonly outer: Step[];
}

function parseSteps(graph: Graph, lines: readonly string[], start: number): ParsedSchedule {
  const keeping = new Map<NodeId, ReadonlyMap<AxisId, Keeping>>();
  const open: OpenLoop[] = [];
  let steps: Step[] = [];
  for (let i = start; i < lines.length; i++) {
    const fail = (problem: string): ParsedSchedule => ({ ok: false, line: i + 1, problem });
    const line = withoutComment(lines[i]!);
    if (line === "") continue;
    if (line === "}") {
      const loop = open.pop();
      if (loop === undefined) return fail("no loop is open");
      loop.outer.push({ ...loop.head, body: steps });
      steps = loop.outer;
      continue;
    }
    const head = parseLoop(line);
    if (head !== null) {
      open.push({ head, outer: steps });
      steps = [];
      continue;
    }
    const step = parseStep(line);
    if (step === null) return fail(`\`${line}\` is no step`);
    if (!graph.nodes.has(step.node)) return fail(`there is no node %${step.node}`);
    steps.push({ kind: step.kind, node: step.node, offset: step.offset });
    if (step.kept.size > 0) keeping.set(step.node, step.kept);
  }
  if (open.length > 0) return { ok: false, line: lines.length, problem: "a loop is not closed" };
  return { ok: true, schedule: { graph, steps, keeping } };
}

/** Comments begin after a blank; a quoted axis may hold `#`, but no step prints one before the comment's blanks. */
const withoutComment = (line: string): string => line.replace(/\s{2}# .*$/u, "").trim();

const axisPattern = String.raw`("(?:[^"\\]|\\.)*"|[^\s,:"#{}]+)`;
const loopPattern = new RegExp(String.raw`^loop ${axisPattern} (forward|backward)(?: by (\d+))? \{$`, "u");
const stepPattern = /^(compute|accumulate) %(\d+)(?: \+ (\d+))?(?: \{(.*)\})?$/u;
const keptPattern = new RegExp(String.raw`${axisPattern}: (?:(step|sequence)|ring (\d+))(?:, |$)`, "uy");

const readAxis = (word: string): AxisId => (word.startsWith('"') ? String(JSON.parse(word)) : word) as AxisId;

function parseLoop(line: string): Omit<Loop, "body"> | null {
  const match = loopPattern.exec(line);
  if (match === null) return null;
  const [, axis = "", direction, factor = "1"] = match;
  return {
    kind: "loop",
    axis: readAxis(axis),
    direction: direction === "forward" ? "forward" : "backward",
    factor: Number(factor),
  };
}

interface ReadStep {
  readonly kind: "compute" | "accumulate";
  readonly node: NodeId;
  readonly offset: number;
  readonly kept: ReadonlyMap<AxisId, Keeping>;
}

function parseStep(line: string): ReadStep | null {
  const match = stepPattern.exec(line);
  if (match === null) return null;
  const [, kind, node, offset = "0", written = ""] = match;
  const kept = parseKept(written);
  if (kept === null) return null;
  return {
    kind: kind === "compute" ? "compute" : "accumulate",
    node: Number(node) as NodeId,
    offset: Number(offset),
    kept,
  };
}

function parseKept(written: string): ReadonlyMap<AxisId, Keeping> | null {
  const kept = new Map<AxisId, Keeping>();
  keptPattern.lastIndex = 0;
  while (keptPattern.lastIndex < written.length) {
    const match = keptPattern.exec(written);
    if (match === null) return null;
    const [, axis = "", kind, slots] = match;
    if (slots !== undefined) kept.set(readAxis(axis), { kind: "ring", slots: Number(slots) });
    else kept.set(readAxis(axis), kind === "step" ? { kind: "step" } : { kind: "sequence" });
  }
  return kept;
}
