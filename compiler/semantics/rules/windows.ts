// Convolution and pooling over the two first dimensions of an image [h, w, c].

import { report } from "../../diagnostics/report.ts";
import { printFeature } from "../print-type.ts";
import {
  addSizes,
  constantOf,
  constantSize,
  divideSizes,
  multiplySizes,
  printSize,
  type Size,
  subtractSizes,
} from "../size.ts";
import type { TypedExpression } from "../typed.ts";
import { unifyNumbers, wantAll } from "./dtypes.ts";
import { reportRank } from "./features.ts";
import {
  type BuiltinRecord,
  flag,
  one,
  type RuleInput,
  type RuleResult,
  realOf,
  size,
  value,
} from "./rule.ts";
import { origins } from "./shapes.ts";

const sizeOf = (input: RuleInput, name: string): Size => input.sizes.get(name)![0]!;

/** Positions of a window: floor((n + 2*padding - window) / stride) + 1, or ceil(n / stride) for `same`. */
function positions(input: RuleInput, extent: Size, window: Size): Size | null {
  const stride = sizeOf(input, "stride");
  const same = input.statics.get("same");
  if (same !== undefined && same.kind !== "bool") {
    input.host.report(
      report("F0417", { name: input.name, argument: "same" }, input.span, {
        label: "the result's shape depends on it",
        help: ["write `same: true` or `same: false`"],
      }),
    );
    return null;
  }
  const padding = input.sizes.get("padding")?.[0] ?? constantSize(0);
  const free =
    same?.value === true
      ? subtractSizes(extent, constantSize(1))
      : subtractSizes(addSizes(extent, multiplySizes(constantSize(2), padding)), window);
  const steps = divideSizes(free, stride);
  if (steps === null || (constantOf(free) ?? 0) < 0) {
    input.host.report(
      report("F0312", { name: input.name }, input.span, {
        label:
          steps === null
            ? "a stride of 0"
            : `a window of ${printSize(window)} in an image of ${printSize(extent)}`,
      }),
    );
    return null;
  }
  return addSizes(steps, constantSize(1));
}

function conv2dType(input: RuleInput): RuleResult | null {
  const [x, W] = input.args;
  if (x === undefined || W === undefined || !unifyNumbers(input, false)) return null;
  const [height, width, channels] = x.type.shape;
  const [windowHeight, windowWidth, inner, outer] = W.type.shape;
  if (x.type.shape.length !== 3 || !height || !width || !channels)
    return reportRank(input, x, "an image [h, w, c]");
  if (W.type.shape.length !== 4 || !windowHeight || !windowWidth || !inner || !outer)
    return reportRank(input, W, "a kernel [kh, kw, c, o]");
  if (!input.host.require(channels, inner, () => channelMismatch(input, x, W))) return null;
  const rows = positions(input, height, windowHeight);
  const columns = positions(input, width, windowWidth);
  return rows && columns && one(realOf([rows, columns, outer]));
}

const channelMismatch = (input: RuleInput, x: TypedExpression, W: TypedExpression) =>
  report("F0302", { left: printFeature(x.type), right: printFeature(W.type) }, input.span, {
    label: "the image's last size must be the kernel's third",
    notes: origins(input.host, x, W),
  });

function poolType(input: RuleInput): RuleResult | null {
  const [x] = input.args;
  if (x === undefined || !wantAll(input, "real")) return null;
  const [height, width, channels] = x.type.shape;
  if (x.type.shape.length !== 3 || !height || !width || !channels)
    return reportRank(input, x, "an image [h, w, c]");
  const window = sizeOf(input, "size");
  const stride = input.sizes.get("stride")?.[0] ?? window;
  const sizes = new Map([...input.sizes, ["stride", [stride]] as const]);
  const rows = positions({ ...input, sizes }, height, window);
  const columns = positions({ ...input, sizes }, width, window);
  return (
    rows && columns && { ...one(realOf([rows, columns, channels])), sizes: new Map([["stride", [stride]]]) }
  );
}

const pool = (doc: string): BuiltinRecord => ({
  doc,
  parameters: [value("x"), size("size"), size("stride", "later")],
  brackets: "none",
  type: poolType,
});

export const windowRules = {
  conv2d: {
    doc: "Convolution of an image [h, w, c] with a kernel [kh, kw, c, o]. `same: true` pads so that stride 1 keeps h and w.",
    parameters: [
      value("x"),
      value("W"),
      size("stride", { kind: "number", value: 1 }),
      size("padding", { kind: "number", value: 0 }),
      flag("same"),
    ],
    brackets: "none",
    type: conv2dType,
  },
  maxPool2d: pool("The largest in each window of an image [h, w, c]; `stride` is `size` when left out."),
  avgPool2d: pool("The mean of each window of an image [h, w, c]; `stride` is `size` when left out."),
} as const;
