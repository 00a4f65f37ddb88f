// Typed trees as text: the design's examples (language.frond, pinned in language.typed) and single rules.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { builtinNames, builtins } from "../../compiler/semantics/builtins.ts";
import { loadLibrary } from "../../compiler/syntax/library.ts";
import { check, shown } from "./checked.ts";
import { printExpression, printTyped } from "./print-typed.ts";

const at = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The equation `name` of the last definition, as text. */
function equation(body: string, name: string): string {
  const { definitions, diagnostics } = check(body);
  expect(shown(diagnostics.filter(({ severity }) => severity === "error"))).toBe("");
  const found = definitions.at(-1)?.equations.get(name);
  return found === undefined ? "" : printExpression(found.value);
}

const inModel = (body: string): string =>
  `model M {\n  axis s, t\n  input x[t]: real[4]\n  input q[s,t]: real[4]\n${body}\n}\n`;

test("the design's examples are right, and their trees are pinned", () => {
  const { definitions, diagnostics } = check(readFileSync(at("language.frond"), "utf8"), "language.frond");
  expect(shown(diagnostics)).toBe("");
  const printed = definitions.map(printTyped).join("\n");
  if (process.env.FROND_UPDATE === "1") writeFileSync(at("language.typed"), printed);
  else
    expect(printed).toBe(existsSync(at("language.typed")) ? readFileSync(at("language.typed"), "utf8") : "");
});

test("the library is right", () => {
  for (const file of loadLibrary()) {
    const { diagnostics } = check(file.source.text, file.source.name);
    expect(shown(diagnostics)).toBe("");
  }
});

describe("instances are named by the equation", () => {
  const instances = (body: string, name: string): readonly string[] =>
    [...equation(inModel(body), name).matchAll(/<([^>]+)>/g)].map(match => match[1]!);

  test("a whole right side", () => {
    expect(instances("  output y[t] = dense(x[t], 3)", "y")).toEqual(["y"]);
  });
  test("with the layer's name otherwise, numbered on repetition", () => {
    const body = "  output y[t] = tanh(dense(x[t], 3)) + dense(x[t], 3) + dense(dense(x[t], 3), 3)";
    expect(new Set(instances(body, "y"))).toEqual(new Set(["y.dense", "y.dense2", "y.dense3", "y.dense4"]));
  });
  test("arguments of a whole call avoid the names inside its layer", () => {
    const layer = "layer outer(x: real[n]) -> y {\n  dense = tanh(x)\n  y = dense\n}\n";
    const { definitions } = check(`${layer}${inModel("  output y[t] = outer(dense(x[t], 3))")}`);
    const value = definitions.at(-1)?.equations.get("y")?.value;
    expect(value && printExpression(value)).toContain("<y.dense2>");
  });
  test("a shared layer keeps its name", () => {
    const body = "  share f = dense(4)\n  output y[t] = f(f(x[t]))";
    expect(instances(body, "y")).toEqual(["f", "f"]);
  });
  test("a boundary's stand under start and end", () => {
    const body =
      "  h[t] = tanh(h[t-1] + h[t+1])\n  h[t<0] = tanh(dense(x[first], 4))\n  h[t>last] = dense(x[last], 4)\n  output y[t] = h[t]";
    const { definitions } = check(inModel(body));
    const boundaries =
      definitions[0]?.equations.get("h")?.boundaries.map(({ value }) => printExpression(value)) ?? [];
    expect(boundaries.join(" ")).toContain("<h.start.dense>");
    expect(boundaries.join(" ")).toContain("<h.end.dense>");
  });
});

describe("indices", () => {
  test("offsets on the left move the right side", () => {
    expect(equation(inModel("  output h[t+1] = x[t-2] + real(index(t))"), "h")).toBe(
      "add(x[t delayed 3], real(sub(index[t](), index 1)))",
    );
  });
  test("but not what a reduction runs over", () => {
    expect(equation(inModel("  output h[t+1] = x[t] + mean[t](x[t])"), "h")).toBe(
      "add(x[t delayed 1], mean[t](x[t]))",
    );
  });
  test("a reversed layer's boundary goes to the call, in the caller's terms", () => {
    const body = "  b[t] = gru[-t](x[t], 4)\n  b[t>last] = ones(4)\n  output y[t] = b[t]";
    expect(equation(inModel(body), "b")).toContain("h t after: ones(shape: [4])");
  });
  test("a wrapped call keeps the boundary to itself", () => {
    const body = "  b[t] = tanh(gru[t](x[t], 4)) + b[t-1]\n  b[t<0] = ones(4)\n  output y[t] = b[t]";
    expect(equation(inModel(body), "b")).not.toContain("before");
  });
});

describe("axes of results", () => {
  const axesOf = (body: string, name: string): string | undefined =>
    check(inModel(body)).definitions[0]?.equations.get(name)?.type.axes.join();

  test("are those of the left side, in the order of declaration", () => {
    expect(axesOf("  output y[t,s] = q[s,t] * x[t]", "y")).toBe("s,t");
  });
  test("layers are mapped over the axes that they do not bind", () => {
    expect(axesOf("  output y[s,t] = lstm[t](q[s,t], 3)", "y")).toBe("s,t");
  });
});

describe("what only an instance can tell", () => {
  const layer = "layer same(a: real[n], b: real[m], n2: size = 3) -> y {\n  y = a + b\n}\n";

  test("is a constraint of the layer", () => {
    const { definitions, diagnostics } = check(layer);
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    const [constraint] = definitions[0]?.constraints ?? [];
    expect(
      constraint?.check(
        new Map([
          ["n", 3],
          ["m", 3],
        ]),
      ),
    ).toBeNull();
    const found = constraint?.check(
      new Map([
        ["n", 3],
        ["m", 4],
      ]),
    );
    expect(found?.code).toBe("F0701");
    expect(found?.title).toBe("n is 3, but m is 4");
  });
  test("a model's defaults decide at once", () => {
    const model =
      "model M(n: size = 3, m: size = 4) {\n  input a: real[n]\n  input b: real[m]\n  output y = a + b\n}\n";
    expect(check(model).diagnostics.map(({ code }) => code)).toEqual(["F0301"]);
    expect(check(model.replace("m: size = 4", "m: size = n")).diagnostics).toEqual([]);
    expect(check(model.replace("m: size = 4", "m: size")).diagnostics).toEqual([]);
  });
});

test("every primitive says what it is and takes", () => {
  for (const name of builtinNames) {
    const { doc, parameters } = builtins[name];
    expect(doc, name).toMatch(/\.$/);
    expect(new Set(parameters.map(parameter => parameter.name)).size, name).toBe(parameters.length);
  }
});
