// How types are shown in messages: `real[4*units]`, `index(10)`, `bool`.

import { printSize, type Size } from "./size.ts";

interface Printable {
  readonly dtype: "real" | "index" | "bool";
  readonly classes: Size | null;
  readonly shape: readonly Size[];
}

export function printFeature({ dtype, classes, shape }: Printable): string {
  const head = dtype === "index" && classes !== null ? `index(${printSize(classes)})` : dtype;
  return shape.length === 0 ? head : `${head}${printShape(shape)}`;
}

export const printShape = (shape: readonly Size[]): string => `[${shape.map(printSize).join(", ")}]`;
