// A program as text and back: what it is fed, keeps, updates and gives, one line each, then its schedule. Where
// things were written in the source is not kept.

import type { AxisId, Graph } from "../graph/graph.ts";
import { printGraph } from "../graph/text.ts";
import type { InputSpec, ParameterSpec } from "../lower/model.ts";
import { parseSchedule, printSchedule } from "../schedule/text.ts";
import { plan } from "./plan.ts";
import type { Program, StateSpec, Update } from "./program.ts";

export type ParsedProgram =
  | { readonly ok: true; readonly program: Program }
  /** `line` counts from 1. */
  | { readonly ok: false; readonly line: number; readonly problem: string };

export function printProgram(program: Program): string {
  const { name, inputs, parameters, states, updates, results, schedule } = program;
  const lines = [
    `program ${JSON.stringify(name)}`,
    ...inputs.map(input => `input ${withoutSpan(input)}`),
    ...parameters.map(parameter => `parameter ${withoutSpan(parameter)}`),
    ...states.map(state => `state ${JSON.stringify(state)}`),
    ...updates.map(update => `update ${JSON.stringify(update)}`),
    ...results.map(result => `result ${JSON.stringify(result)}`),
  ];
  return `${lines.join("\n")}\n${printSchedule(schedule)}`;
}

/** A static graph below a comment that says how much memory its plan needs. */
export function printStatic(graph: Graph, extents: ReadonlyMap<AxisId, number>): string {
  const { arenaFloats, offset } = plan(graph, { batch: 1, extents });
  return `# arena: ${arenaFloats} floats for batch 1, ${offset.size} values\n${printGraph(graph)}`;
}

const withoutSpan = (spec: InputSpec | ParameterSpec): string => JSON.stringify({ ...spec, span: null });

/** What the lines above the schedule say. */
interface Header {
  name: string;
  readonly inputs: InputSpec[];
  readonly parameters: ParameterSpec[];
  readonly states: StateSpec[];
  readonly updates: Update[];
  readonly results: string[];
}

export function parseProgram(text: string): ParsedProgram {
  const lines = text.split("\n");
  const header: Header = { name: "", inputs: [], parameters: [], states: [], updates: [], results: [] };
  let count = 0;
  for (const line of lines) {
    const head = /^(program|input|parameter|state|update|result) (["{].*)$/.exec(line);
    if (head === null) break;
    const problem = readLine(header, head[1]!, head[2]!);
    if (problem !== null) return { ok: false, line: count + 1, problem };
    count++;
  }
  const parsed = parseSchedule(lines.slice(count).join("\n"));
  if (!parsed.ok) return { ...parsed, line: parsed.line + count };
  const { schedule } = parsed;
  return { ok: true, program: { ...header, graph: schedule.graph, schedule } };
}

/** What the records of a header have. */
const fields = {
  input: ["name", "role", "dtype", "shape", "axes", "classes", "span"],
  parameter: ["name", "shape", "axes", "init", "span"],
  state: ["name", "dtype", "shape", "axes", "initial"],
  update: ["target", "output"],
} as const;

/** Adds what a line says; returns what is wrong with it, or null. */
function readLine(header: Header, word: string, json: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return `what follows \`${word}\` is not JSON`;
  }
  switch (word) {
    case "program":
      if (typeof value !== "string") return "`program` wants a name";
      header.name = value;
      return null;
    case "result":
      if (typeof value !== "string") return "`result` wants a name";
      header.results.push(value);
      return null;
    case "input":
      return addRecord(word, value, header.inputs);
    case "parameter":
      return addRecord(word, value, header.parameters);
    case "state":
      return addRecord(word, value, header.states);
    default:
      return addRecord("update", value, header.updates);
  }
}

function addRecord<Spec>(word: keyof typeof fields, value: unknown, list: Spec[]): string | null {
  if (typeof value !== "object" || value === null) return `\`${word}\` wants a record`;
  const missing = fields[word].find(field => !Object.hasOwn(value, field));
  if (missing !== undefined) return `\`${word}\` lacks \`${missing}\``;
  // What stands in the fields is not looked at: these texts come from `printProgram`.
  list.push(value as Spec);
  return null;
}
