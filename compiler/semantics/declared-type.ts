// Types as written in declarations, and the sizes that a layer infers from them.

import { report } from "../diagnostics/report.ts";
import { textOf } from "../diagnostics/wording.ts";
import type { Expression, TypeExpression } from "../syntax/ast.ts";
import type { Feature } from "./rules/rule.ts";
import type { DefinitionScope, Place } from "./scope.ts";
import { constantOf, type Size, signOf } from "./size.ts";
import { sizeOf } from "./statics.ts";

/** `real[d, 4*units]`, `index(n)`, `bool`; null after a complaint. */
export function declaredType(place: Place, type: TypeExpression): Feature | null {
  switch (type.kind) {
    case "real": {
      const shape = type.shape.map(size => declaredSize(place, size));
      return shape.every(size => size !== null) ? { dtype: "real", classes: null, shape } : null;
    }
    case "index": {
      const classes = declaredSize(place, type.size);
      return classes && { dtype: "index", classes, shape: [] };
    }
    case "bool":
      return { dtype: "bool", classes: null, shape: [] };
    case "size":
    case "number":
    case "function":
      place.scope.report(
        report("F0406", { kind: type.kind }, type.span, {
          label: "this is known before the run",
          help: ["values are `real`, `real[n]`, `index(n)` or `bool`"],
        }),
      );
      return null;
  }
}

function declaredSize(place: Place, expression: Expression): Size | null {
  const size = sizeOf(place, expression);
  if (size === null) return null;
  const number = constantOf(size);
  if ((number !== null && number < 1) || signOf(size) === "negative") {
    const label = "a size is at least 1";
    place.scope.report(report("F0313", { text: textOf(expression.span) }, expression.span, { label }));
    return null;
  }
  return size;
}

/** Names in the argument types of a layer that nothing declares. Each must stand bare somewhere. */
export function inferSizes(scope: DefinitionScope): readonly string[] {
  const inferred: string[] = [];
  const sizes = scope.definition.parameters.flatMap(({ type }) =>
    type.kind === "real" ? type.shape : type.kind === "index" ? [type.size] : [],
  );
  for (const size of sizes) {
    if (size.kind !== "name" || size.indices !== null || scope.symbols.has(size.name.name)) continue;
    scope.symbols.set(size.name.name, { kind: "inferred", span: size.span });
    inferred.push(size.name.name);
  }
  for (const size of sizes) if (size.kind !== "name") declareCompound(scope, size, inferred);
  return inferred;
}

/** A size that stands only inside an expression, `real[4*d]`: never solved for. */
function declareCompound(scope: DefinitionScope, size: Expression, inferred: readonly string[]): void {
  if (size.kind === "binary") {
    declareCompound(scope, size.left, inferred);
    declareCompound(scope, size.right, inferred);
  } else if (size.kind === "unary") declareCompound(scope, size.operand, inferred);
  else if (size.kind === "name" && size.indices === null && !scope.symbols.has(size.name.name)) {
    const { name, span } = size.name;
    scope.symbols.set(name, { kind: "inferred", span });
    scope.report(
      report("F0306", { name }, span, {
        label: "stands only inside an expression",
        help: [
          `declare it, \`${name}: size\`, or let it stand alone in some argument's type, \`real[${name}]\``,
        ],
      }),
    );
  }
}
