// Functions that take features apart, put them together and look them up.

import { report } from "../../diagnostics/report.ts";
import { printFeature, printShape } from "../print-type.ts";
import {
  addSizes,
  constantOf,
  constantSize,
  divideExactly,
  divideSizes,
  multiplySizes,
  printSize,
  type Size,
} from "../size.ts";
import type { TypedExpression } from "../typed.ts";
import { unifyAny, unifyNumbers, wantAll } from "./dtypes.ts";
import { guessElementwise } from "./operators.ts";
import {
  type BuiltinRecord,
  one,
  type RuleInput,
  type RuleResult,
  realOf,
  shape,
  size,
  value,
  values,
} from "./rule.ts";
import { broadcast, origins } from "./shapes.ts";

/** Complains that an argument has too few (or too many) dimensions. */
export function reportRank(input: RuleInput, arg: TypedExpression, wanted: string): null {
  const found = printFeature(arg.type);
  input.host.report(
    report("F0308", { name: input.name, wanted, found }, arg.span, {
      label: `this is ${found}`,
      notes: origins(input.host, arg).filter(note => note.span.start !== arg.span.start),
    }),
  );
  return null;
}

const only = (input: RuleInput, name: string): Size => input.sizes.get(name)![0]!;

/** Each part is a value of its own. */
const mostParts = 1024;

function splitType(input: RuleInput): RuleResult | null {
  const [x] = input.args;
  if (x === undefined) return null;
  const last = x.type.shape.at(-1);
  if (last === undefined) return reportRank(input, x, "a vector, or more dimensions");
  const count = only(input, "n");
  const parts = constantOf(count);
  if (parts === null || parts < 1 || parts > mostParts) {
    input.host.report(
      report("F0417", { name: "split", argument: "n" }, input.span, {
        label: parts === null ? `\`${printSize(count)}\` is open here` : `${parts} parts`,
        help: [`write the number of parts as a number from 1 to ${mostParts}: \`split(x, 4)\``],
      }),
    );
    return null;
  }
  const part = divideExactly(last, count) ?? divideSizes(last, count)!;
  const complain = () =>
    report("F0307", { size: printSize(last), count: parts }, input.span, {
      label: `${printSize(last)} into ${parts} parts`,
      notes: origins(input.host, x),
    });
  if (!input.host.require(multiplySizes(part, count), last, complain)) return null;
  const feature = { ...x.type, shape: [...x.type.shape.slice(0, -1), part] };
  return { results: Array.from({ length: parts }, () => feature) };
}

function concatType(input: RuleInput): RuleResult | null {
  const unified = unifyAny(input, input.args);
  if (unified === null) return null;
  const [first] = unified.args;
  const rest = first!.type.shape.slice(0, -1);
  const lasts: Size[] = [];
  for (const arg of unified.args) {
    const ends = arg.type.shape.slice(0, -1);
    const complain = () =>
      report("F0309", { left: printFeature(first!.type), right: printFeature(arg.type) }, arg.span, {
        label: "all sizes but the last must agree",
        notes: origins(input.host, first!, arg).filter(note => note.span.start !== arg.span.start),
      });
    if (ends.length !== rest.length) {
      input.host.report(complain());
      return null;
    }
    if (broadcast(input.host, rest, ends, complain) === null) return null;
    // A scalar is one feature.
    lasts.push(arg.type.shape.at(-1) ?? constantSize(1));
  }
  return {
    ...one({ dtype: unified.dtype, classes: null, shape: [...rest, addSizes(...lasts)] }),
    args: unified.args,
  };
}

function sliceType(input: RuleInput): RuleResult | null {
  const [x] = input.args;
  const last = x?.type.shape.at(-1);
  if (x === undefined) return null;
  if (last === undefined) return reportRank(input, x, "a vector, or more dimensions");
  const [start, taken] = [only(input, "start"), only(input, "size")];
  const end = addSizes(start, taken);
  const [number, limit] = [constantOf(end), constantOf(last)];
  if (number !== null && limit !== null && number > limit) {
    input.host.report(
      report("F0310", { end: number, size: limit }, input.span, {
        label: `features ${printSize(start)} to ${number - 1} of ${limit}`,
        notes: origins(input.host, x),
      }),
    );
    return null;
  }
  return one({ ...x.type, shape: [...x.type.shape.slice(0, -1), taken] });
}

function reshapeType(input: RuleInput): RuleResult | null {
  const [x] = input.args;
  if (x === undefined) return null;
  const wanted = input.sizes.get("shape")!;
  const complain = () =>
    report("F0311", { found: printShape(x.type.shape), wanted: printShape(wanted) }, input.span, {
      label: `${printSize(multiplySizes(...x.type.shape))} numbers into ${printSize(multiplySizes(...wanted))}`,
      notes: origins(input.host, x),
    });
  if (!input.host.require(multiplySizes(...x.type.shape), multiplySizes(...wanted), complain)) return null;
  return one({ ...x.type, shape: wanted });
}

function transposeType(input: RuleInput): RuleResult | null {
  const [x] = input.args;
  if (x === undefined) return null;
  const { shape: sizes } = x.type;
  if (sizes.length < 2) return reportRank(input, x, "a matrix, or more dimensions");
  return one({ ...x.type, shape: [...sizes.slice(0, -2), sizes.at(-1)!, sizes.at(-2)!] });
}

function flattenType(input: RuleInput): RuleResult | null {
  const [x] = input.args;
  if (x === undefined) return null;
  const lengths: Size[] = [];
  for (const axis of input.axes) {
    const length = input.host.axisLength(axis);
    if (length === null) {
      input.host.report(
        report("F0226", { axis }, input.span, {
          label: `\`${axis}\` has a length known only at run time`,
          help: ["only a static axis, `axis k = 0..n-1`, can become features"],
        }),
      );
      return null;
    }
    lengths.push(length);
  }
  const last = x.type.shape.at(-1) ?? constantSize(1);
  return one({ ...x.type, shape: [...x.type.shape.slice(0, -1), multiplySizes(...lengths, last)] });
}

function outerType(input: RuleInput): RuleResult | null {
  if (!unifyNumbers(input, false)) return null;
  const wrong = input.args.find(arg => arg.type.shape.length !== 1);
  if (wrong !== undefined) return reportRank(input, wrong, "two vectors");
  return one(realOf(input.args.flatMap(arg => arg.type.shape)));
}

function gatherType(input: RuleInput): RuleResult | null {
  const [table, i] = input.args;
  if (table === undefined || i === undefined) return null;
  if (!wantAll(input, "index", [i])) return null;
  const [rows, ...rest] = table.type.shape;
  if (rows === undefined) return reportRank(input, table, "a table with at least one dimension");
  if (i.type.shape.length > 0) return reportRank(input, i, "one index, without features");
  if (!requireRange(input, i, rows, [table])) return null;
  return { ...one({ ...table.type, shape: rest }), args: [table, indexed(i)] };
}

const indexed = (arg: TypedExpression): TypedExpression => ({
  ...arg,
  type: { ...arg.type, dtype: "index" },
});

/** An index must be of the range that it is used for; index(t) and literals have none. */
function requireRange(
  input: RuleInput,
  i: TypedExpression,
  wanted: Size,
  ranged: readonly TypedExpression[] = [],
): boolean {
  const { classes } = i.type;
  if (classes === null) return true;
  const complain = () =>
    report("F0314", { found: printSize(classes), wanted: printSize(wanted) }, i.span, {
      label: `this is index(${printSize(classes)})`,
      notes: origins(input.host, i, ...ranged).filter(note => note.span.start !== i.span.start),
    });
  return input.host.require(classes, wanted, complain);
}

function oneHotType(input: RuleInput): RuleResult | null {
  const [i] = input.args;
  if (i === undefined || !wantAll(input, "index")) return null;
  const given = input.sizes.get("n")?.[0] ?? i.type.classes;
  if (given === null || given === undefined) {
    input.host.report(
      report("F0402", { callee: "oneHot", argument: "n" }, input.span, {
        label: "this index has no known range",
        help: ["say how many values it has: `oneHot(i, n)`"],
      }),
    );
    return null;
  }
  if (!requireRange(input, i, given)) return null;
  const result = one(realOf([...i.type.shape, given]));
  return { ...result, args: [indexed(i)], sizes: new Map([["n", [given]]]) };
}

function argmaxType(input: RuleInput): RuleResult | null {
  const [x] = input.args;
  if (x === undefined || !wantAll(input, "real")) return null;
  const last = x.type.shape.at(-1);
  if (last === undefined) return reportRank(input, x, "a vector, or more dimensions");
  return one({ dtype: "index", classes: last, shape: x.type.shape.slice(0, -1) });
}

const filled = (input: RuleInput): RuleResult => one(realOf(input.sizes.get("shape")!));

const feature = (
  doc: string,
  parameters: BuiltinRecord["parameters"],
  type: BuiltinRecord["type"],
  extra: Partial<BuiltinRecord> = {},
): BuiltinRecord => ({ doc, parameters, brackets: "none", type, ...extra });

export const featureRules = {
  split: feature("n equal parts of the last dimension, as n results.", [value("x"), size("n")], splitType),
  concat: feature(
    "Side by side along the last dimension; a scalar is one feature.",
    [values("x")],
    concatType,
    {
      guess: guessElementwise,
    },
  ),
  slice: feature(
    "`size` features of the last dimension, from `start` on.",
    [value("x"), size("start"), size("size")],
    sliceType,
  ),
  reshape: feature(
    "The same numbers in another shape, row by row.",
    [value("x"), shape("shape")],
    reshapeType,
  ),
  transpose: feature("The last two dimensions exchanged.", [value("x")], transposeType),
  flatten: feature("A static axis becomes features: [n] along k is [K*n].", [value("x")], flattenType, {
    brackets: "mustReduce",
  }),
  outer: feature("All products of two vectors: [n], [m] is [n, m].", [value("a"), value("b")], outerType, {
    guess: ([a, b]) => (a && b ? realOf([...a.shape.slice(0, 1), ...b.shape.slice(0, 1)]) : null),
  }),
  gather: feature(
    "Row i of a table: [n, ..rest] is [..rest]. A row that is not there is NaN.",
    [value("table"), value("i")],
    gatherType,
    {
      guess: ([table]) => (table ? { ...table, shape: table.shape.slice(1) } : null),
    },
  ),
  oneHot: feature("1 at position i of n, 0 elsewhere.", [value("i"), size("n", "later")], oneHotType),
  argmax: feature("The position of the largest feature (the first, if several).", [value("x")], argmaxType),
  zeros: feature("Zeros of a shape.", [shape("shape")], filled),
  ones: feature("Ones of a shape.", [shape("shape")], filled),
} as const;
