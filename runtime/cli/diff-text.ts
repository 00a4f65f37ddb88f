// What `frond diff` found, as text and as JSON.

import type { Diagnostic, Note } from "../../compiler/diagnostics/diagnostic.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { grouped } from "../../compiler/diagnostics/wording.ts";
import { printType } from "../../compiler/graph/text.ts";
import type { LoweredModel } from "../../compiler/lower/model.ts";
import { agrees, type Diff, type DiffRow, isOff } from "../diff.ts";
import type { Parting, Place } from "../parting.ts";
import { formatShape } from "../tensor.ts";
import { diagnosticJson, table } from "./print.ts";

export interface Compared {
  /** `Tagger.gradients` */
  readonly program: string;
  readonly backends: readonly [string, string];
  readonly tolerance: number;
  readonly diff: Diff;
  /** For the calls that lead to equations of layers. */
  readonly lowered: LoweredModel;
}

/** @param frame how diagnostics are shown. */
export function diffText(compared: Compared, frame: (diagnostic: Diagnostic) => string): string {
  const { program, backends, tolerance, diff } = compared;
  const [a, b] = backends;
  if (agrees(diff, tolerance)) return `${program}: ${a} and ${b} agree ${agreement(diff)}\n`;
  const { parting } = diff;
  if (parting === null) return `${hiddenText(compared)}\n${resultsText(compared)}`;
  const shown = frame(partingDiagnostic(compared, parting)).trimEnd();
  return `${shown}\n\n${placeText(compared, parting)}\n${resultsText(compared)}`;
}

/** `to 6.5e-7 (at `h.o`, contract; 96 values)` */
function agreement({ furthest, compared }: Diff): string {
  const values = `${grouped(compared)} values`;
  if (furthest === null || furthest.error === 0) return `exactly (${values})`;
  const { node, error } = furthest;
  return `to ${short(error)} (at \`${nameOf(node)}\`, ${node.op}; ${values})`;
}

/** The parting as a diagnostic at its equation. */
function partingDiagnostic({ backends, lowered, diff }: Compared, { node }: Parting): Diagnostic {
  const [a, b] = backends;
  const op = diff.isBackward && node.span !== null ? `${node.op} of its adjoint` : node.op;
  const values = { a, b, name: nameOf(node), what: `${op}, ${printType(node.type)}` };
  const label = "what this is made of agrees";
  return report("F0930", values, node.span, { label, notes: callNotes(lowered, node) });
}

/** Where the model itself calls the layer that a node's equation belongs to. */
function callNotes({ layers }: LoweredModel, { label, span }: Parting["node"]): readonly Note[] {
  const parts = label.split(".");
  for (let length = 1; length <= parts.length; length++) {
    const [call] = layers.get(parts.slice(0, length).join(".")) ?? [];
    if (call === undefined) continue;
    const at = call.shareSpan ?? call.span;
    return span === null || at.source.name === span.source.name ? [] : [{ span: at, text: "called here" }];
  }
  return [];
}

function placeText({ backends, tolerance, diff }: Compared, parting: Parting): string {
  const { place, values, error, largest } = parting;
  const later = largest > error ? `; up to ${short(largest)} in what is computed later` : "";
  // As many digits as float32 has, unless that shows no difference.
  const [near, exact] = [values.map(value => String(Number(value.toPrecision(8)))), values.map(String)];
  const shown = near[0] === near[1] ? exact : near;
  const rows = [
    ["differs at", placeWords(place)],
    ...backends.map((name, i) => [`on ${name}`, shown[i]!]),
    ["relative error", `${short(error)}, where ${short(tolerance)} is tolerated${later}`],
  ];
  const { dtype } = parting.node.type;
  const notes = [...(dtype === "real" ? [] : [decisionNote]), ...(diff.seen === "all" ? [] : [seenNote])];
  return `${table(rows)}${notes.map(note => `\n${note}\n`).join("")}`;
}

const decisionNote =
  "Its operands differ by rounding only; such an operation can make all or nothing of that.";

const seenNote = `With all values as results the difference disappears, since loops and fused groups are
others then. It was seen with a part of them: an earlier value may have it too.`;

const hiddenText = ({ program, backends: [a, b] }: Compared): string =>
  `${program}: ${a} and ${b} differ, but not where one looks.
With all values as results the difference disappears, since loops and fused groups are
others then, and parts of them do not show it either.
`;

function resultsText({ backends: [a, b], tolerance, diff, lowered }: Compared): string {
  const off = diff.rows.filter(row => isOff(row, tolerance)).length;
  const parameters = new Set(lowered.parameters.map(({ name }) => name));
  // The optimiser's states are many, and nobody's results.
  const shown = diff.rows.filter(
    row => row.kind === "result" || parameters.has(row.name) || isOff(row, tolerance),
  );
  const head = [`${a} and ${b}`, "shape", "difference", "relative error", ""];
  const rows = shown.map(row => [
    row.kind === "updated" ? `${row.name} afterwards` : row.name,
    formatShape(row.shape),
    short(row.difference),
    short(row.error),
    isOff(row, tolerance) ? "OFF" : "ok",
  ]);
  const verdict = off === 0 ? "the results agree" : `${off} of ${diff.rows.length} results differ`;
  return `${table([head, ...rows], [2, 3])}${verdict}\n`;
}

export function diffJson(compared: Compared): unknown {
  const { backends, tolerance, diff } = compared;
  const { parting, rows, furthest } = diff;
  return {
    program: compared.program,
    backends,
    tolerance,
    agree: agrees(diff, tolerance),
    parting: parting === null ? null : partingJson(compared, parting),
    compared: diff.compared,
    furthest: furthest === null ? null : { ...nodeJson(furthest.node), error: furthest.error },
    results: rows.map(rowJson),
  };
}

function partingJson(compared: Compared, parting: Parting): unknown {
  const { node, place, values, error, largest } = parting;
  return {
    ...nodeJson(node),
    example: place.example,
    positions: Object.fromEntries(place.positions),
    feature: place.feature,
    values,
    error,
    largest,
    seen: compared.diff.seen,
    diagnostic: diagnosticJson(partingDiagnostic(compared, parting)),
  };
}

const nodeJson = (node: Parting["node"]) => ({
  label: node.label,
  op: node.op,
  type: printType(node.type),
});

const rowJson = ({ name, kind, shape, difference, error }: DiffRow): unknown => ({
  name,
  kind,
  shape,
  difference,
  error,
});

const nameOf = ({ label, id }: Parting["node"]): string => (label === "" ? `%${id}` : label);

/** `example 1, t = 3, feature [17]` */
function placeWords({ example, positions, feature }: Place): string {
  const words = [
    ...(example === null ? [] : [`example ${example}`]),
    ...positions.map(([axis, index]) => `${axis} = ${index}`),
    ...(feature.length === 0 ? [] : [`feature [${feature.join(", ")}]`]),
  ];
  return words.join(", ") || "its only element";
}

/** Two digits. */
function short(value: number): string {
  if (!Number.isFinite(value)) return "infinite";
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(2));
  return rounded >= 1e-3 && rounded < 1e4 ? String(rounded) : rounded.toExponential();
}
