// Which kinds of numbers an operation takes: real and index do not mix, and truth values are no numbers.

import { report } from "../../diagnostics/report.ts";
import { withoutParentheses } from "../../diagnostics/wording.ts";
import type { DType } from "../../graph/graph.ts";
import { printFeature } from "../print-type.ts";
import type { TypedExpression } from "../typed.ts";
import type { RuleInput } from "./rule.ts";
import { quote } from "./shapes.ts";

export interface Unified {
  readonly dtype: DType;
  readonly args: readonly TypedExpression[];
}

/** All arguments as numbers of one kind. Static whole numbers become indices beside an index. */
export function unifyNumbers(input: RuleInput, indexAllowed: boolean, args = input.args): Unified | null {
  const truth = args.find(arg => arg.type.dtype === "bool");
  if (truth !== undefined) {
    input.host.report(
      report("F0407", { operator: input.shown }, truth.span, {
        label: "this is a truth value",
        help: [
          `\`real(${withoutParentheses(quote(truth) ?? "..")})\` is 1 where it is true and 0 where it is false`,
        ],
      }),
    );
    return null;
  }
  const index = args.find(arg => arg.type.dtype === "index");
  if (index === undefined) return { dtype: "real", args };
  const real = args.find(arg => arg.type.dtype === "real" && !isWholeStatic(input, arg));
  if (real !== undefined) return reportMixed(input, index, real);
  if (!indexAllowed) return reportWanted(input, index, "real numbers");
  return { dtype: "index", args: args.map(asIndex) };
}

const isWholeStatic = (input: RuleInput, arg: TypedExpression): boolean =>
  arg.kind === "static" && input.host.isWhole(arg.value);

const asIndex = (arg: TypedExpression): TypedExpression =>
  arg.kind === "static" ? { ...arg, type: { ...arg.type, dtype: "index" } } : arg;

function reportMixed(input: RuleInput, index: TypedExpression, real: TypedExpression): null {
  input.host.report(
    report("F0408", { operator: input.shown }, index.span, {
      label: `this is ${printFeature(index.type)}`,
      notes: [{ span: real.span, text: `this is ${printFeature(real.type)}` }],
      help: [`write \`real(${withoutParentheses(quote(index) ?? "..")})\``],
    }),
  );
  return null;
}

/** A complaint about an argument of the wrong kind, with a cast as help where one mends it. */
export function reportWanted(input: RuleInput, arg: TypedExpression, wanted: string): null {
  const castable = wanted.startsWith("real") && arg.type.dtype !== "real";
  input.host.report(
    report("F0409", { operator: input.shown, wanted, found: printFeature(arg.type) }, arg.span, {
      label: `this is ${printFeature(arg.type)}`,
      help: castable
        ? [`write \`real(${withoutParentheses(quote(arg) ?? "..")})\``]
        : wantedHelp(wanted, arg),
    }),
  );
  return null;
}

/** A number where a truth value is wanted is compared with something. */
const wantedHelp = (wanted: string, arg: TypedExpression): readonly string[] =>
  wanted.startsWith("a truth value") || wanted === "truth values"
    ? [`compare it with something: \`${quote(arg) ?? ".."} > 0\``]
    : [];

/** True when every argument has the dtype; otherwise complains about the first that has not. */
export function wantAll(input: RuleInput, dtype: DType, args = input.args): boolean {
  const words = { real: "real numbers", index: "an index", bool: "truth values" } as const;
  const wrong = args.find(arg => arg.type.dtype !== dtype);
  if (wrong === undefined) return true;
  if (dtype === "index" && wrong.kind === "static" && input.host.isWhole(wrong.value)) return true;
  reportWanted(input, wrong, words[dtype]);
  return false;
}

/** Both of one kind, whatever it is: for comparisons and `where`. */
export function unifyAny(input: RuleInput, args: readonly TypedExpression[]): Unified | null {
  const truths = args.filter(arg => arg.type.dtype === "bool");
  return truths.length === args.length ? { dtype: "bool", args } : unifyNumbers(input, true, args);
}
