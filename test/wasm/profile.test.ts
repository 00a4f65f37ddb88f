// Profiles of the wasm backend: marks in the module, and time told by the equations of nodes. What the time itself is
// depends on the machine; here it is where it goes.

import { describe, expect, test } from "vitest";
import type { ProfileEntry } from "../../backends/api.ts";
import { FunctionBuilder } from "../../backends/codegen/builder.ts";
import type { Func } from "../../backends/codegen/code.ts";
import { generate } from "../../backends/codegen/generate.ts";
import { profileOf, sharesOf } from "../../backends/codegen/profile.ts";
import { openBackend } from "../../backends/registry.ts";
import { encodeModule } from "../../backends/wasm/encode.ts";
import { Stopwatch } from "../../backends/wasm/stopwatch.ts";
import type { Graph, Node, OpName } from "../../compiler/graph/graph.ts";
import type { Program } from "../../compiler/index.ts";
import { compileNamed, environmentOf, modelNames } from "../harness/models.ts";
import { feedsOf, type onBackend, trainOn, valuesOf } from "../harness/training.ts";

const memoryType = { shared: false, maximum: 4 };
const moduleOf = (functions: readonly Func[], exports = functions) =>
  new WebAssembly.Module(encodeModule({ functions, exports }, memoryType));

const generated = (program: Program, profile: boolean) =>
  generate(program, { lanes: 4, registers: 16 }, { rows: 4, vectors: 2 }, 1, profile);

describe("marks in a module", () => {
  test("call the host in order, and other calls still go where they should", () => {
    const inner = new FunctionBuilder("inner");
    inner.store(inner.param(), 7);
    const store = inner.finish();
    const outer = new FunctionBuilder("outer");
    outer.for(0, 3, 1, i => {
      outer.if(i, () => outer.add({ kind: "mark", id: 200 }));
      outer.call(store, [16]);
    });
    outer.add({ kind: "mark", id: 0 });
    const main = outer.finish();
    const memory = new WebAssembly.Memory({ initial: 1 });
    const marks: number[] = [];
    const mark = (id: number) => marks.push(id);
    const { exports } = new WebAssembly.Instance(moduleOf([store, main], [main]), {
      frond: { memory, mark },
    });
    (exports.outer as () => void)();
    expect(marks).toEqual([200, 200, 0]);
    expect(new Int32Array(memory.buffer)[4]).toBe(7);
  });

  test.each(["if", "otherwise", "doWhile"])("are found in %s", kind => {
    const f = new FunctionBuilder("f");
    const mark = () => f.add({ kind: "mark", id: 1 });
    if (kind === "if") f.if(1, mark);
    else if (kind === "otherwise") f.if(1, () => {}, mark);
    else {
      f.doWhile(() => {
        mark();
        return 0;
      });
    }
    const imports = WebAssembly.Module.imports(moduleOf([f.finish()]));
    expect(imports).toContainEqual({ module: "frond", name: "mark", kind: "function" });
  });

  test("are there only where a profile is wanted", () => {
    const program = compileNamed("lstm").train();
    const [plain, profiled] = [false, true].map(profile => {
      const { module } = generated(program, profile);
      return WebAssembly.Module.imports(new WebAssembly.Module(encodeModule(module, memoryType)));
    });
    expect(plain).toEqual([{ module: "frond", name: "memory", kind: "memory" }]);
    expect(profiled).toHaveLength(2);
  });
});

test("a stopwatch counts each stretch to its end, and begins anew when it is read", () => {
  const watch = new Stopwatch(3);
  const busy = () => {
    for (const end = performance.now() + 2; performance.now() < end; );
  };
  busy();
  for (const id of [0, 2, 0]) {
    watch.mark(id);
    busy();
  }
  watch.stop();
  busy();
  const [first, never, third] = watch.take();
  expect(first).toBeGreaterThanOrEqual(3.9);
  expect(never).toBe(0);
  expect(third).toBeGreaterThanOrEqual(1.9);
  expect([...watch.take()]).toEqual([0, 0, 0]);
});

const nodesOf = ({ nodes }: Graph, ...ops: readonly OpName[]): readonly Node[] =>
  ops.map(op => [...nodes.values()].find(node => node.op === op)!);

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const spentOn = (entries: readonly ProfileEntry[]): number =>
  sum(entries.map(({ milliseconds }) => milliseconds));

describe("time is divided", () => {
  const { graph } = compileNamed("lstm").train().schedule;

  test("as operations are: a function counts as ten", () => {
    expect(sharesOf(graph, nodesOf(graph, "tanh", "mul"))).toEqual([10 / 11, 1 / 11]);
  });

  test("equally where there are no operations", () => {
    expect(sharesOf(graph, nodesOf(graph, "parameter", "slice"))).toEqual([0.5, 0.5]);
  });

  test("without any of it getting lost, by part and by equation", () => {
    const { program, marks } = generated(compileNamed("lstm").train(), true);
    const times = marks.map((_, i) => i + 1);
    const entries = profileOf(program, marks, times);
    expect(spentOn(entries)).toBeCloseTo(sum(times), 6);
    const keys = entries.map(({ label, span, part }) => `${part} ${label} ${span?.start} ${span?.end}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const part of ["forward", "backward", "update", "packing"] as const) {
      const own = entries.filter(entry => entry.part === part);
      expect(own.length, part).toBeGreaterThan(0);
      if (part === "update") expect(own.every(({ span }) => span === null)).toBe(true);
      else if (part === "backward") expect(own.every(({ span }) => span !== null)).toBe(true);
    }
    const packed = marks.flatMap(({ packs }, i) => (packs ? [times[i]!] : []));
    expect(spentOn(entries.filter(({ part }) => part === "packing"))).toBeCloseTo(sum(packed), 6);
  });

  test("inference has no part but forward: its matrices are kept as products read them", () => {
    const { program, marks } = generated(compileNamed("lstm").infer(), true);
    const parts = profileOf(program, marks, new Float64Array(marks.length)).map(({ part }) => part);
    expect(new Set(parts)).toEqual(new Set(["forward"]));
  });
});

const bits = (results: Awaited<ReturnType<typeof onBackend>>): readonly unknown[] =>
  [...results].map(([name, { data }]) => [name, [...data]]);

test.each(modelNames)("%s: a profiled run gives the same results, to the bit", async name => {
  const wasm = await openBackend("wasm");
  const program = compileNamed(name).train();
  const environments = [1, 2].map(seed => environmentOf(program, { batch: 3, extent: 4, seed }));
  const plain = await trainOn(wasm, program, environments);
  expect(bits(await trainOn(wasm, program, environments, { profile: true }))).toEqual(bits(plain));
});

test("an executable has a profile where it was asked for one, on one thread whatever was asked", async () => {
  const wasm = await openBackend("wasm");
  const program = compileNamed("lstm").gradients();
  const environment = environmentOf(program, { batch: 8, extent: 20 });
  const plain = await wasm.compile(program);
  expect(plain.profile).toBe(undefined);
  plain.dispose();
  for (const options of [{ threads: 3 }, { unroll: 2 }]) {
    const executable = await wasm.compile(program, { profile: true, ...options });
    const state = executable.createState(valuesOf(program, environment));
    expect(spentOn(executable.profile!())).toBe(0);
    const start = performance.now();
    (await executable.run(feedsOf(environment), state)).dispose();
    const spent = spentOn(executable.profile!());
    expect(spent).toBeGreaterThan(0);
    expect(spent).toBeLessThanOrEqual(performance.now() - start);
    expect(spentOn(executable.profile!())).toBe(0);
    executable.dispose();
  }
});
