// Backends are found by name, and what cannot be had is refused with the reason and a way out.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Backend } from "../backends/api.ts";
import { backends, listBackends, openBackend } from "../backends/registry.ts";
import { FrondError } from "../compiler/diagnostics/error.ts";
import { render } from "../compiler/diagnostics/render.ts";

const broken: Backend = {
  name: "quantum",
  doc: "not in this universe",
  probe: async () => ({ available: false, reason: "no qubits", remedy: "cool the room" }),
  compile: () => Promise.reject(new Error("must not be called")),
};

/** The frame that a page of spec/errors shows. */
function documented(code: string): string {
  const page = readFileSync(new URL(`../spec/errors/${code}.md`, import.meta.url), "utf8");
  return /```text\n([^`]*(?:`[^`]+`[^`]*)*?)\n```/.exec(page)?.[1] ?? "";
}

async function refusal(opening: Promise<unknown>): Promise<FrondError> {
  const error: unknown = await opening.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof FrondError)) throw new Error(`not a FrondError: ${error}`);
  return error;
}

describe("openBackend", () => {
  test.each(["wasm", "cpu", "reference"])("opens %s", async name => {
    expect((await openBackend(name)).name).toBe(name);
  });

  test("auto is wasm", async () => {
    expect((await openBackend("auto")).name).toBe("wasm");
  });

  test("an unknown name: the nearest one is suggested", async () => {
    const [diagnostic] = (await refusal(openBackend("referense"))).diagnostics;
    expect(diagnostic?.code).toBe("F0901");
    expect(diagnostic?.title).toContain("`referense`");
    expect(diagnostic?.help[0]).toBe("did you mean `reference`?");
  });

  test("a name near nothing: the list is shown", async () => {
    const [diagnostic] = (await refusal(openBackend("xyzzy"))).diagnostics;
    expect(diagnostic?.help).toEqual(["there are wasm, native, cpu, webgl, webgpu, reference, auto"]);
  });

  test("an unavailable one: the reason and the remedy", async () => {
    const [diagnostic] = (await refusal(openBackend("quantum", [...backends, broken]))).diagnostics;
    expect(diagnostic?.code).toBe("F0902");
    expect(diagnostic?.title).toContain("no qubits");
    expect(diagnostic?.help).toEqual(["cool the room"]);
  });

  test("auto with its choice unavailable: that one's reason", async () => {
    const [diagnostic] = (await refusal(openBackend("auto", [{ ...broken, name: "wasm" }]))).diagnostics;
    expect(diagnostic?.code).toBe("F0902");
  });
});

test("the pages show what is said", async () => {
  const said = async (opening: Promise<unknown>): Promise<string> =>
    render((await refusal(opening)).diagnostics, { color: false }).trim();
  expect(await said(openBackend("cpuu"))).toBe(documented("F0901"));
  const reason = "this page's content security policy forbids generated code";
  const remedy = "allow 'unsafe-eval' in its script-src, or use the backend reference";
  const strict: Backend = {
    ...broken,
    name: "cpu",
    probe: async () => ({ available: false, reason, remedy }),
  };
  expect(await said(openBackend("cpu", [strict]))).toBe(documented("F0902"));
});

test("the list says of each whether it is available", async () => {
  // Whether there is a browser or a library depends on the machine.
  const everywhere = ["wasm", "cpu", "reference"];
  const listed = await listBackends([...backends.filter(({ name }) => everywhere.includes(name)), broken]);
  expect(listed.map(({ name, availability }) => [name, availability.available])).toEqual([
    ["wasm", true],
    ["cpu", true],
    ["reference", true],
    ["quantum", false],
  ]);
});

test("the registry says the same of each backend as the backend itself", async () => {
  const [{ wasm }, { native }, { cpu }, { webgl }, { webgpu }, { reference }] = await Promise.all([
    import("../backends/wasm/index.ts"),
    import("../backends/native/index.ts"),
    import("../backends/tfjs/cpu.ts"),
    import("../backends/webgl/index.ts"),
    import("../backends/webgpu/index.ts"),
    import("../backends/reference/index.ts"),
  ]);
  expect(backends.map(({ name, doc }) => ({ name, doc }))).toEqual(
    [wasm, native, cpu, webgl, webgpu, reference].map(({ name, doc }) => ({ name, doc })),
  );
});
