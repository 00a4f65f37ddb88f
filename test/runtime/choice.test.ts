// What `auto` is: who is measured, within which time, who wins, and what is remembered for how long.

import { describe, expect, test } from "vitest";
import type { Availability, Backend } from "../../backends/api.ts";
import { backends, openBackend, type TuningStore } from "../../backends/registry.ts";
import type { AxisId } from "../../compiler/graph/graph.ts";
import { type ChooseOptions, type Chooser, choose } from "../../runtime/choice.ts";
import { makeDataset } from "../../runtime/data/dataset.ts";
import { sampleDataset } from "../../runtime/data/sample.ts";
import { type Limits, type Measure, type Measured, measure, type Trial } from "../../runtime/measure.ts";
import { chooseBackend, openSession, trialOf } from "../../runtime/open.ts";
import { keyOf } from "../../runtime/remembered.ts";
import { compileNamed } from "../harness/models.ts";
import { inputs, tagger } from "./tagger.ts";

const t = "t" as AxisId;
const trial: Trial = trialOf(tagger, { use: "train", batch: 4, lengths: new Map([[t, 8]]) });

/** Backends that never compute; what they take is said beside them. */
function fake(name: string, availability: Partial<Availability> & { readonly after?: number } = {}): Backend {
  const { after = 0, ...said } = availability;
  return {
    name,
    doc: name,
    probe: async () => {
      if (after > 0) await new Promise(resolve => setTimeout(resolve, after));
      return { available: true, detail: `${name} 1.0`, ...said } as Availability;
    },
    compile: () => Promise.reject(new Error("must not be called")),
  };
}
const gone = { available: false, reason: "no card", remedy: "buy one" } as const;

/** A store in memory, and how often it was written. */
function memoryStore(text: string | null = null) {
  const state = { text, writes: 0 };
  const store: TuningStore = {
    read: async () => state.text,
    write: async next => {
      state.text = next;
      state.writes++;
    },
  };
  return { state, store };
}

/** A chooser whose measuring says these milliseconds, and the names that it was asked for. */
function chooserOf(
  backends: readonly Backend[],
  times: Readonly<Record<string, number | Measured | Error>>,
  more: Partial<Chooser> = {},
) {
  const asked: { readonly name: string; readonly trial: Trial; readonly limits: Limits }[] = [];
  const measure: Measure = async ({ name }, trial, limits) => {
    asked.push({ name, trial, limits });
    const time = times[name]!;
    if (time instanceof Error) throw time;
    return typeof time === "number" ? { kind: "time", milliseconds: time, runs: 3 } : time;
  };
  const { store, state } = memoryStore();
  const chooser: Chooser = { backends, store, host: "here", measure, today: () => "2026-01-10", ...more };
  return { chooser, asked, state };
}

const names = (asked: readonly { readonly name: string }[]) => asked.map(({ name }) => name);

describe("who is measured", () => {
  test("all that are there but the oracle; the fastest wins", async () => {
    const { chooser, asked } = chooserOf([fake("a"), fake("b"), fake("reference")], { a: 3, b: 2 });
    const { backend, why, tried, date } = await choose(trial, chooser);
    expect([backend.name, why, date]).toEqual(["b", "measured", null]);
    expect(names(asked)).toEqual(["a", "b"]);
    expect(tried).toEqual([
      { kind: "measured", name: "a", milliseconds: 3 },
      { kind: "measured", name: "b", milliseconds: 2 },
    ]);
  });

  test("a little faster is not enough against an earlier one", async () => {
    const { chooser } = chooserOf([fake("a"), fake("b")], { a: 2, b: 1.95 });
    expect((await choose(trial, chooser)).backend.name).toBe("a");
  });

  test("none where only one is there; nothing is written", async () => {
    const { chooser, asked, state } = chooserOf([fake("a"), fake("b", gone)], { a: 3 });
    const { backend, why, tried } = await choose(trial, chooser);
    expect([backend.name, why, asked, state.writes]).toEqual(["a", "only", [], 0]);
    expect(tried).toEqual([{ kind: "missing", name: "b", reason: "no card", remedy: "buy one" }]);
  });

  test("cpu only where wasm is missing; not asked at all else", async () => {
    const cpu: Backend = { ...fake("cpu"), probe: () => Promise.reject(new Error("must not be called")) };
    const { chooser } = chooserOf([cpu, fake("wasm")], {});
    const { backend, why, tried } = await choose(trial, chooser);
    expect([backend.name, why]).toEqual(["wasm", "only"]);
    expect(tried).toEqual([{ kind: "passed", name: "cpu", why: "never faster than wasm" }]);
    const other = chooserOf([fake("cpu"), fake("wasm", gone)], {});
    expect((await choose(trial, other.chooser)).backend.name).toBe("cpu");
  });

  test("none that cannot run the program", async () => {
    const limits = (name: string) => (name === "a" ? { tanh: "no tanh" } : {});
    const { chooser } = chooserOf([fake("a"), fake("b")], {}, { limits });
    const { backend, why, tried } = await choose(trial, chooser);
    expect([backend.name, why]).toEqual(["b", "only"]);
    expect(tried).toEqual([{ kind: "passed", name: "a", why: "cannot run `tanh`: no tanh" }]);
  });

  test("one that takes long to open only where the program is large", async () => {
    const own = [fake("native"), fake("a")];
    const small = chooserOf(own, {});
    expect(await choose(trial, small.chooser)).toMatchObject({ why: "only", backend: { name: "a" } });
    const large = trialOf(tagger, { use: "train", batch: 1024, lengths: new Map([[t, 1000]]) });
    const { chooser, asked } = chooserOf(own, { native: 1, a: 2 });
    expect(await choose(large, chooser)).toMatchObject({ why: "measured", backend: { name: "native" } });
    // The one that opens quickly comes first, and both run the same.
    expect(names(asked)).toEqual(["a", "native"]);
    expect(asked[0]!.trial).toBe(asked[1]!.trial);
  });

  test("a program that takes seconds is measured with fewer examples", async () => {
    const { chooser, asked } = chooserOf([fake("a"), fake("b")], { a: 1, b: 2 });
    await choose(trialOf(tagger, { batch: 2 ** 20, lengths: new Map([[t, 1000]]) }), chooser);
    expect(asked[0]!.trial.batch).toBeLessThan(2 ** 20);
    expect(asked[0]!.trial.batch).toBeGreaterThan(0);
    expect(asked[0]!.trial.lengths.get(t)).toBe(1000);
  });

  test("whoever is late, refuses or fails is out, and the first is waited for", async () => {
    const never = fake("b", { after: 600 });
    const refusing = { kind: "refused", why: "does not know how much memory a run takes" } as const;
    const torn: Backend = { ...fake("e"), probe: () => Promise.reject(new Error("torn")) };
    const all = [fake("a"), never, fake("c"), fake("d"), torn];
    const { chooser, asked } = chooserOf(all, { a: 5, c: refusing, d: new Error("out of order") });
    const started = performance.now();
    const { backend, tried } = await choose(trial, chooser);
    expect(performance.now() - started).toBeLessThan(500);
    expect(backend.name).toBe("a");
    expect(asked.map(({ limits }) => Number.isFinite(limits.deadline))).toEqual([false, true, true]);
    expect(tried).toEqual([
      { kind: "passed", name: "b", why: "was not ready in time" },
      { kind: "passed", name: "e", why: "torn" },
      { kind: "measured", name: "a", milliseconds: 5 },
      { kind: "passed", name: "c", why: refusing.why },
      { kind: "passed", name: "d", why: "out of order" },
    ]);
  });

  test("thoroughly: everybody, with time, and nobody is cut off by being slow", async () => {
    const all = [fake("wasm"), fake("cpu"), fake("native"), fake("reference")];
    const { chooser, asked } = chooserOf(all, { wasm: 1, cpu: 9, native: 2 });
    expect((await choose(trial, chooser, { thorough: true })).backend.name).toBe("wasm");
    expect(names(asked)).toEqual(["wasm", "native", "cpu"]);
    expect(asked.every(({ limits }) => limits.best === Number.POSITIVE_INFINITY)).toBe(true);
  });

  test("nobody, where nothing is to be measured", async () => {
    const { chooser, asked } = chooserOf([fake("wasm"), fake("b")], {});
    expect(await choose(trial, chooser, { unmeasured: true })).toMatchObject({ backend: { name: "wasm" } });
    expect(asked).toEqual([]);
  });

  test("none that is there is an error that says why", async () => {
    const { chooser } = chooserOf([fake("wasm", gone)], {});
    await expect(choose(trial, chooser)).rejects.toThrow("F0902");
  });
});

describe("what is remembered", () => {
  /** Two that were measured, and what they were remembered by. */
  async function measured(own: readonly Backend[] = [fake("a"), fake("b")]) {
    const found = chooserOf(own, { a: 2, b: 1 });
    await choose(trial, found.chooser);
    const again = (more: Partial<Chooser> = {}, other: Trial = trial, options: ChooseOptions = {}) => {
      found.asked.length = 0;
      return choose(other, { ...found.chooser, ...more }, options);
    };
    return { ...found, again };
  }

  test("is not measured again, and says since when", async () => {
    const { again, asked } = await measured();
    const { backend, why, date, tried } = await again({ today: () => "2026-02-01" });
    expect([backend.name, why, date, asked]).toEqual(["b", "remembered", "2026-01-10", []]);
    expect(tried).toEqual([
      { kind: "measured", name: "a", milliseconds: 2 },
      { kind: "measured", name: "b", milliseconds: 1 },
    ]);
    expect(await again({}, trial, { unmeasured: true })).toMatchObject({ why: "remembered" });
  });

  const larger = trialOf(tagger, { batch: 5, lengths: new Map([[t, 8]]) });
  const longer = trialOf(tagger, { batch: 4, lengths: new Map([[t, 9]]) });
  const threaded = trialOf(tagger, { batch: 4, lengths: new Map([[t, 8]]), compile: { threads: 2 } });
  const bounded = trialOf(tagger, { batch: 4, lengths: new Map([[t, 8]]), memory: 1e6 });
  const inferring = trialOf(tagger, { use: "infer", batch: 4, lengths: new Map([[t, 8]]) });
  const cases: readonly (readonly [string, Partial<Chooser>, Trial?, ChooseOptions?])[] = [
    ["on another machine", { host: "there" }],
    ["when it is old", { today: () => "2026-02-10" }],
    [
      "when its backend is another version",
      { backends: [fake("a"), fake("b", { detail: "b 1.1" } as never)] },
    ],
    ["when its backend is gone", { backends: [fake("a"), fake("b", gone), fake("c")] }],
    ["of a larger batch", {}, larger],
    ["of longer sequences", {}, longer],
    ["with threads", {}, threaded],
    ["under a bound on memory", {}, bounded],
    ["of another program", {}, inferring],
    ["when it is asked for", {}, trial, { again: true }],
  ];
  test.each(cases.map(one => ({ when: one[0], one })))("but it is $when", async ({ one }) => {
    const [, more, other = trial, options = {}] = one;
    const { again } = await measured();
    const times = { a: 1, b: 2, c: 3 };
    const { chooser } = chooserOf([], times);
    expect(await again({ measure: chooser.measure!, ...more }, other, options)).toMatchObject({
      why: "measured",
      backend: { name: "a" },
    });
  });

  test("sizes of one class share it", async () => {
    const { again } = await measured();
    const near = trialOf(tagger, { batch: 3, lengths: new Map([[t, 5]]) });
    expect((await again({}, near)).why).toBe("remembered");
  });

  test("until one that was missing, and said so at once, is there", async () => {
    const { again } = await measured([fake("a"), fake("b"), fake("c", gone)]);
    expect((await again()).why).toBe("remembered");
    const { chooser } = chooserOf([], { a: 2, b: 3, c: 1 });
    const come = { backends: [fake("a"), fake("b"), fake("c")], measure: chooser.measure! };
    expect(await again(come)).toMatchObject({ why: "measured", backend: { name: "c" } });
  });

  test("of the last hundred programs", async () => {
    const { chooser, state } = chooserOf([fake("a"), fake("b")], { a: 2, b: 1 });
    for (let batch = 0; batch < 104; batch++) {
      const name = `Tagger${batch}`;
      await choose({ ...trial, program: { ...trial.program, name } }, chooser);
    }
    const kept = Object.keys(JSON.parse(state.text!).choices);
    expect(kept).toHaveLength(100);
    expect(kept[0]).toMatch(/^Tagger4 /);
  });

  test.each([
    ["no JSON"],
    ['{"format":0,"choices":{}}'],
    ['{"format":1,"choices":{"KEY":{"backend":3}}}'],
    [
      '{"format":1,"choices":{"KEY":{"backend":"a","detail":"a 1.0","date":"2026-01-09","times":{"a":"x"},"missing":[]}}}',
    ],
  ])("nothing in %s", async text => {
    const { store } = memoryStore(text.replace("KEY", keyOf(trial, "here")));
    const { chooser } = chooserOf([fake("a"), fake("b")], { a: 2, b: 1 }, { store });
    expect((await choose(trial, chooser)).why).toBe("measured");
  });

  test("nothing where the store fails, which is no reason to fail", async () => {
    const store = {
      read: () => Promise.reject(new Error("no")),
      write: () => Promise.reject(new Error("no")),
    };
    const { chooser } = chooserOf([fake("a"), fake("b")], { a: 2, b: 1 }, { store });
    expect((await choose(trial, chooser)).backend.name).toBe("b");
  });
});

describe("measuring", () => {
  const limits = (more: Partial<Limits> = {}): Limits => ({
    milliseconds: 20,
    best: Number.POSITIVE_INFINITY,
    deadline: Number.POSITIVE_INFINITY,
    now: () => performance.now(),
    ...more,
  });

  test.each(["wasm", "cpu"])("a training step on %s", async name => {
    const found = await measure(await openBackend(name), trial, limits());
    expect(found).toMatchObject({ kind: "time", milliseconds: expect.any(Number) });
    expect(found.kind === "time" && found.milliseconds).toBeGreaterThan(0);
  });

  test.each(["convolution", "ctc", "static-heads", "tied-embedding"])("%s gets data that fit", async name => {
    const found = await measure(
      await openBackend("wasm"),
      trialOf(compileNamed(name), { batch: 2 }),
      limits(),
    );
    expect(found.kind).toBe("time");
  });

  test("ends early: too slow, too late, not what is needed", async () => {
    const cpu = await openBackend("cpu");
    expect(await measure(cpu, trial, limits({ best: 1e-9, milliseconds: 1e5 }))).toMatchObject({ runs: 1 });
    expect(await measure(cpu, trial, limits({ deadline: 0 }))).toMatchObject({ kind: "refused" });
    expect(await measure(cpu, { ...trial, needs: "profile" }, limits())).toEqual({
      kind: "refused",
      why: "makes no profiles",
    });
  });
});

describe("sessions", () => {
  test("the fastest of real backends", async () => {
    const [wasm, cpu] = [await openBackend("wasm"), await openBackend("cpu")];
    const own: Chooser = {
      backends: [{ ...cpu, name: "plain" }, wasm],
      store: memoryStore().store,
      host: "",
    };
    const { backend, why, tried } = await chooseBackend({ model: compileNamed("lstm"), chooser: own });
    expect([why, tried.length]).toEqual(["measured", 2]);
    expect(backend.name).toMatch(/^(wasm|plain)$/);
  });

  test("auto, and by name", async () => {
    const data = sampleDataset(inputs, tagger.infer().graph.axes, 1);
    const session = await openSession({
      model: tagger,
      data: makeDataset("d", data.arrays, data.lengths),
      seed: 3,
    });
    expect([session.backend.name, session.seed]).toEqual(["wasm", 3]);
    expect((await openSession({ model: tagger, backend: "cpu" })).backend.name).toBe("cpu");
    await expect(openSession({ model: tagger, backend: "cpuu" })).rejects.toThrow("F0901");
  });

  test("sizes: of the data, of the model, or usual ones", () => {
    const data = sampleDataset(inputs, tagger.infer().graph.axes, 1);
    expect(trialOf(tagger, { data })).toMatchObject({ batch: 3, lengths: new Map([[t, 3]]) });
    expect(trialOf(tagger, {})).toMatchObject({ batch: 4, lengths: new Map([[t, 100]]) });
    expect(trialOf(tagger, { use: "infer" })).toMatchObject({ batch: 64, program: { name: "Tagger" } });
    expect(trialOf(tagger, { use: "generate", data })).toMatchObject({ batch: 64 });
  });
});

test("every backend of the registry but the oracle is a candidate", async () => {
  const own = backends.map(({ name }) => fake(name));
  const { chooser, asked } = chooserOf(own, Object.fromEntries(backends.map(({ name }) => [name, 1])));
  await choose(trial, chooser, { thorough: true });
  expect(names(asked).toSorted()).toEqual(
    backends
      .map(({ name }) => name)
      .filter(name => name !== "reference")
      .toSorted(),
  );
});
