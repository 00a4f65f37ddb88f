// Backends on the other end of a line, without a browser: the page is in this process. What they compute, what they
// refuse, what becomes of a state whose page is lost.

import { describe, expect, test } from "vitest";
import type { Backend, Executable, Results, State, Tensor } from "../../backends/api.ts";
import { BrowserEnded } from "../../backends/browser/faults.ts";
import { inBrowser } from "../../backends/browser/index.ts";
import { DeviceLost } from "../../backends/losses.ts";
import { backends, openBackend } from "../../backends/registry.ts";
import { wasm } from "../../backends/wasm/index.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { InternalError } from "../../compiler/unreachable.ts";
import { compileNamed, environmentOf } from "../harness/models.ts";
import { feedsOf, onBackend, valuesOf } from "../harness/training.ts";
import { bits, errorOf, feedsAt, pageHere, train, trainingProgram, valuesIn } from "./harness.ts";

const program = compileNamed("gru").infer();
const environment = environmentOf(program, { batch: 3, extent: 4 });

/** A page with wasm, in which everything that is made and disposed of is counted. */
function countingPage() {
  const living = { executables: 0, states: 0, results: 0 };
  const counted = <T extends { dispose(): void }>(object: T, kind: keyof typeof living): T => {
    living[kind] += 1;
    const dispose = object.dispose.bind(object);
    object.dispose = () => {
      living[kind] -= 1;
      dispose();
    };
    return object;
  };
  const backend: Backend = {
    ...wasm,
    async compile(program, options) {
      const inner = await wasm.compile(program, options);
      const outer: Executable = {
        createState: values => counted(inner.createState(values), "states"),
        run: async (feeds, state) => counted(await inner.run(feeds, state), "results"),
        memory: () => null,
        dispose: () => inner.dispose(),
      };
      return counted(outer, "executables");
    },
  };
  return { living, ...pageHere([backend]) };
}

const soon = () => new Promise(resolve => setTimeout(resolve, 20));

describe.each(["wasm", "cpu", "reference"])("%s", name => {
  test("computes what it computes without a line between", async () => {
    const remote = inBrowser(name, pageHere(backends));
    const here = await openBackend(name);
    expect(bits(await onBackend(remote, program, environment))).toEqual(
      bits(await onBackend(here, program, environment)),
    );
    const [near, far] = [await train(here), await train(remote)];
    for (let step = 0; step < 4; step++) expect(await far.step(step)).toBe(await near.step(step));
    expect(bits(await valuesIn(far.state))).toEqual(bits(await valuesIn(near.state)));
  });
});

test("what is disposed of is disposed of in the page", async () => {
  const { living, host } = countingPage();
  const executable = await inBrowser("wasm", { host }).compile(program);
  const state = executable.createState(valuesOf(program, environment));
  const results = await executable.run(feedsOf(environment), state);
  const more = await executable.run(feedsOf(environment), state);
  expect(living).toEqual({ executables: 1, states: 1, results: 2 });
  for (const held of [results, more, state, executable]) {
    held.dispose();
    held.dispose();
  }
  await soon();
  expect(living).toEqual({ executables: 0, states: 0, results: 0 });
});

test("results and states outlive their executable, and serve another one", async () => {
  const remote = inBrowser("wasm", pageHere(backends));
  const [first, second] = [await remote.compile(program), await remote.compile(program)];
  const state = first.createState(valuesOf(program, environment));
  const results = await first.run(feedsOf(environment), state);
  first.dispose();
  const again = await second.run(feedsOf(environment), state);
  const name = program.results[0]!;
  expect(await again.read(name)).toEqual(await results.read(name));
});

test("the page says how much memory a run takes, or that it does not know", async () => {
  const sizes = [3, new Map([["t" as AxisId, 7]])] as const;
  const remote = inBrowser("wasm", pageHere(backends));
  const here = await wasm.compile(program);
  expect(await (await remote.compile(program)).memory(...sizes)).toBe(here.memory(...sizes));
  expect(await (await remote.compile(program, { unroll: "full" })).memory(...sizes)).toBe(null);
  const unknown = (await remote.compile(program)).memory(3, new Map());
  expect(await errorOf(Promise.resolve(unknown))).toMatchObject({ diagnostics: [{ code: "F0810" }] });
});

test("a profile comes with the runs", async () => {
  const compile = (backend: Backend) => backend.compile(program, { profile: true });
  const remote = await compile(inBrowser("wasm", pageHere(backends)));
  const here = await compile(wasm);
  for (const executable of [remote, here]) {
    const state = executable.createState(valuesOf(program, environment));
    await executable.run(feedsOf(environment), state);
    await executable.run(feedsOf(environment), state);
  }
  const places = (executable: Executable) =>
    executable.profile!().map(({ part, label, span }) => `${part} ${label} ${span?.start}`);
  expect(places(remote)).toEqual(places(here));
  expect(remote.profile!()).toEqual([]);
  expect((await inBrowser("wasm", pageHere(backends)).compile(program)).profile).toBeUndefined();
});

describe("refusals", () => {
  /** A backend that fails at everything with one error. */
  const failing = (error: unknown): Backend => ({
    name: "failing",
    doc: "",
    probe: () => Promise.reject(error),
    compile: () => Promise.reject(error),
  });
  const compileOn = (error: unknown) =>
    errorOf(inBrowser("failing", pageHere([failing(error)])).compile(program));

  test("diagnostics arrive as they were, places and all", async () => {
    const { span } = program.inputs[0]!;
    const help = ["do this", "or that"];
    const notes = [{ span: span!, text: "declared here" }];
    const diagnostic = {
      code: "F0802",
      severity: "error",
      title: "t",
      span,
      label: "l",
      notes,
      help,
    } as const;
    const error = await compileOn(new FrondError([diagnostic, { ...diagnostic, notes: [] }]));
    expect(error).toBeInstanceOf(FrondError);
    expect((error as FrondError).diagnostics).toEqual([diagnostic, { ...diagnostic, notes: [] }]);
    expect(render((error as FrondError).diagnostics, { color: false })).toContain("gru.frond:");
  });

  test("our own bugs stay bugs, all else becomes F0946", async () => {
    expect(await compileOn(new InternalError("wasm", "a thread has failed"))).toBeInstanceOf(InternalError);
    for (const error of [new TypeError("no such thing"), new RangeError("Array buffer allocation failed"), "text"]) {
      const failed = await compileOn(error);
      expect(failed).toBeInstanceOf(FrondError);
      expect(String(failed)).toContain("F0946: the backend `failing` has failed in the browser: ");
    } // biome-ignore format: a list
  });

  test("a backend that the page lacks is not available, for the page's own reason", async () => {
    const probe = { available: false, reason: "no WebGL 2", remedy: "another browser" } as const;
    const backend: Backend = { ...failing(null), probe: async () => probe };
    expect(await inBrowser("failing", pageHere([backend])).probe()).toEqual(probe);
    expect(await inBrowser("wasm", pageHere(backends)).probe()).toMatchObject({ available: true });
  });

  test("foreign states, unknown names, disposed objects", async () => {
    const page = pageHere(backends);
    const [remote, other] = [inBrowser("wasm", page), inBrowser("cpu", page)];
    const executable = await remote.compile(program);
    const values = valuesOf(program, environment);
    const state = executable.createState(values);
    const feeds = feedsOf(environment);
    const titles = async (promise: Promise<unknown>) => String(await errorOf(promise));
    const foreign = (await other.compile(program)).createState(values);
    expect(await titles(executable.run(feeds, foreign))).toContain("another backend made it");
    const elsewhere = (await inBrowser("wasm", pageHere(backends)).compile(program)).createState(values);
    expect(await titles(executable.run(feeds, elsewhere))).toContain("another backend made it");
    const training = await remote.compile(trainingProgram("gru"));
    expect(await titles(training.run(feeds, state))).toContain("its parameters and states are others");
    expect(() => executable.createState(new Map())).toThrow("F0814");
    expect(await titles(state.read("nothing"))).toContain("F0813");
    expect(await titles((await executable.run(feeds, state)).read("nothing"))).toContain("F0813");
    expect(await titles(executable.run({ ...feeds, batch: -1 }, state))).toContain("F0904");
    state.dispose();
    expect(await titles(executable.run(feeds, state))).toContain("the state was disposed of");
    executable.dispose();
    expect(await titles(executable.run(feeds, state))).toContain("the executable of `Gru");
    expect(() => executable.memory(1, new Map())).toThrow("F0818");
  });
});

describe("a page that is lost", () => {
  const gone = new BrowserEnded("its process has ended");

  /** The state after each of the first steps, without any line. */
  async function expected(steps: number): Promise<readonly (readonly unknown[])[]> {
    const { state, step } = await train(wasm);
    const values = [bits(await valuesIn(state))];
    for (let number = 0; number < steps; number++) {
      await step(number);
      values.push(bits(await valuesIn(state)));
    }
    return values;
  }

  test("nothing is lost that was read", async () => {
    const page = pageHere(backends);
    const { state, step } = await train(inBrowser("wasm", page));
    const whole = await expected(4);
    for (const number of [0, 1, 2]) await step(number);
    expect(bits(await valuesIn(state))).toEqual(whole[3]);
    page.end(gone);
    // Read without a page, then gone on from in a new one.
    expect(bits(await valuesIn(state))).toEqual(whole[3]);
    await step(3);
    expect(bits(await valuesIn(state))).toEqual(whole[4]);
  });

  test("what nobody has read is told once, with the step", async () => {
    const page = pageHere(backends);
    const { state, step } = await train(inBrowser("wasm", page));
    const whole = await expected(5);
    await step(0);
    await step(1);
    await valuesIn(state);
    await step(2);
    await state.read(state.names[0]!);
    await step(3);
    page.end(gone);
    const error = (await errorOf(step(4))) as BrowserEnded;
    expect([error.kept, error.lost]).toEqual([{ runs: 2, step: 1 }, 2]);
    expect(error.diagnostics[0]!.help).toEqual([
      "the state is again what it was after step 1: the 2 steps since then are lost",
      "the next run starts it again",
    ]);
    expect(bits(await valuesIn(state))).toEqual(whole[2]);
    for (const number of [2, 3, 4]) await step(number);
    expect(bits(await valuesIn(state))).toEqual(whole[5]);
  });

  test("a run that is under way is told, and its state stands as before it", async () => {
    let gate = Promise.resolve();
    const slow: Backend = {
      ...wasm,
      async compile(...given) {
        const inner = await wasm.compile(...given);
        return {
          createState: values => inner.createState(values),
          run: async (feeds, state) => gate.then(() => inner.run(feeds, state)),
          memory: () => null,
          dispose: () => inner.dispose(),
        };
      },
    };
    const page = pageHere([slow]);
    const { state, step } = await train(inBrowser("wasm", page));
    await step(0);
    await valuesIn(state);
    gate = new Promise(() => {});
    const running = [step(1), step(2)].map(errorOf);
    await soon();
    page.end(gone);
    for (const error of (await Promise.all(running)) as BrowserEnded[]) {
      expect([error.kept, error.lost]).toEqual([{ runs: 1, step: 0 }, 0]);
      expect(error.diagnostics[0]!.help).toEqual(["the next run starts it again; no earlier step is lost"]);
    }
    gate = Promise.resolve();
    await step(1);
    expect(bits(await valuesIn(state))).toEqual((await expected(2))[2]);
  });

  test("never read: the first values are there again", async () => {
    const page = pageHere(backends);
    const { state, step } = await train(inBrowser("wasm", page));
    const [first] = await expected(0);
    await step(0);
    page.end(gone);
    const error = await errorOf(state.read(state.names[0]!));
    expect((error as BrowserEnded).diagnostics[0]!.help[0]).toBe(
      "the state has its first values again: the step since then is lost",
    );
    // As they were given: float64 here.
    expect((await valuesIn(state)).size).toBe(first!.length);
    await step(0);
    expect(bits(await valuesIn(state))).toEqual((await expected(1))[1]);
  });

  test("copies are made while it is trained", async () => {
    const page = pageHere(backends);
    const { state, step } = await train(inBrowser("wasm", { ...page, copyEvery: 0.05 }));
    for (const number of [0, 1, 2]) await step(number);
    await new Promise(resolve => setTimeout(resolve, 200));
    page.end(gone);
    expect(bits(await valuesIn(state))).toEqual((await expected(3))[3]);
  });

  test("inference goes on, results that were not read are gone", async () => {
    const page = pageHere(backends);
    const executable = await inBrowser("wasm", page).compile(program);
    const state = executable.createState(valuesOf(program, environment));
    const results = await executable.run(feedsOf(environment), state);
    page.end(gone);
    const name = program.results[0]!;
    expect(await errorOf(results.read(name))).toBe(gone);
    results.dispose();
    const again = await executable.run(feedsOf(environment), state);
    expect((await again.read(name)).shape[0]).toBe(3);
  });
});

test("runs of one state take their turns, and a copy is of no half", async () => {
  const page = pageHere(backends);
  const program = trainingProgram("lstm");
  const { executable, state } = await train(inBrowser("wasm", page));
  const running: Promise<Results>[] = [];
  const copies: Promise<ReadonlyMap<string, Tensor>>[] = [];
  for (let step = 0; step < 5; step++) {
    running.push(executable.run(feedsAt(program, step), state as State));
    copies.push(valuesIn(state));
  }
  await Promise.all([...running, ...copies]);
  const alone = await train(wasm);
  for (let step = 0; step < 5; step++) await alone.step(step);
  expect(bits(await valuesIn(state))).toEqual(bits(await valuesIn(alone.state)));
});

describe("a graphics device that the page says is lost", () => {
  /** A backend whose states have lost their device when they are next read or run. */
  function losing() {
    const now = { lost: false };
    const lose = (): void => {
      const { lost } = now;
      now.lost = false;
      if (lost) throw new DeviceLost("wasm");
    };
    const backend: Backend = {
      ...wasm,
      async compile(...given) {
        const inner = await wasm.compile(...given);
        const states = new Map<State, State>();
        return {
          createState(values) {
            const state = inner.createState(values);
            const read = async (name: string) => {
              lose();
              return state.read(name);
            };
            const outer: State = { names: state.names, read, dispose: () => state.dispose() };
            states.set(outer, state);
            return outer;
          },
          async run(feeds, state) {
            lose();
            return inner.run(feeds, states.get(state)!);
          },
          memory: () => null,
          dispose: () => inner.dispose(),
        };
      },
    };
    return { now, ...pageHere([backend]) };
  }

  test.each([
    ["a run", (): Promise<unknown> => Promise.resolve()],
    ["a copy", () => new Promise(resolve => setTimeout(resolve, 300))],
  ])("is met by %s, and told once, with the step; the page stays", async (_, wait) => {
    const { now, host } = losing();
    const remote = inBrowser("wasm", { host, copyEvery: 0.1 });
    const [far, near] = [await train(remote), await train(wasm)];
    const wanted: number[] = [];
    for (let step = 0; step < 4; step++) wanted.push(await near.step(step));
    const page = await host.open();
    expect(await far.step(0)).toBe(wanted[0]);
    const copied = bits(await valuesIn(far.state));
    expect(await far.step(1)).toBe(wanted[1]);
    now.lost = true;
    await wait();
    const error = (await errorOf(far.step(2))) as DeviceLost;
    expect(error).toBeInstanceOf(DeviceLost);
    expect([error.kept, error.lost]).toEqual([{ runs: 1, step: 0 }, 1]);
    expect(bits(await valuesIn(far.state))).toEqual(copied);
    for (const step of [1, 2, 3]) expect(await far.step(step)).toBe(wanted[step]);
    expect(await host.open()).toBe(page);
  });
});
