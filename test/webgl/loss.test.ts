// Contexts that are really lost, in the middle of trainings: in a page that uses Frond directly, from Node step by step, and
// from Node by a session.

import { afterAll, beforeAll, expect, test } from "vitest";
import { encode } from "../../backends/browser/codec.ts";
import { inBrowser } from "../../backends/browser/index.ts";
import type { DeviceLost } from "../../backends/losses.ts";
import { makeDataset } from "../../runtime/data/dataset.ts";
import { Session } from "../../runtime/session.ts";
import { bits, build, errorOf, inBrowserTests, train, valuesIn, watchedBrowser } from "../browser/harness.ts";
import { compileText } from "../harness/models.ts";
import { type OpenPage, openPage } from "./page.ts";

const text = `model Tagger {
  axis t
  input  x[t]: real[3]
  target y[t]: index(2)
  h[t]      = gru[t](x[t], 5)
  logits[t] = dense(h[t], 2)
  loss      = mean[t](crossEntropy(logits[t], y[t]))
  train { optimizer: adam(rate: 1e-2), batch: 4, epochs: 3 }
}
`;

const model = compileText("tagger.frond", text);

/** Keeps the contexts of a page where `lose()` finds the last. */
const watch = `{
  const contexts = [];
  const { getContext } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.getContext = function (...given) {
    const made = getContext.apply(this, given);
    contexts.push(made);
    return made;
  };
  window.lose = () => contexts.at(-1).getExtension("WEBGL_lose_context").loseContext();
}`;

/** Six steps with a loss before the fourth, which takes the third with it; and six without one. */
const inPage = `(async () => {
  ${watch}
  const { decode } = await import("./dist/backends/browser/codec.js");
  const { webgl } = await import("./dist/backends/webgl/index.js");
  const program = decode(Uint8Array.from(${JSON.stringify([...encode(model.train(model.trainConfig!))])}).buffer);
  const executable = await webgl.compile(program);
  const numbers = (shape, make) => {
    const size = shape.reduce((n, m) => n * m, 1);
    return { dtype: "real", shape, data: Float32Array.from({ length: size }, (_, i) => make(i)) };
  };
  const first = new Map([
    ...program.parameters.map(({ name, shape }) => [name, numbers(shape, i => Math.sin(i) / 2)]),
    ...program.states.map(({ name, shape, initial }) => [name, numbers(shape, () => initial)]),
  ]);
  const feeds = step => ({
    batch: 2,
    inputs: new Map([
      ["x", numbers([2, 4, 3], i => Math.cos(i * (step + 1)))],
      ["y", { dtype: "index", shape: [2, 4], data: Int32Array.from([0, 1, 0, 1, 1, 0, step % 2, 1]) }],
    ]),
    lengths: new Map(), seed: 0, step,
  });
  const run = async (state, step) => {
    const results = await executable.run(feeds(step), state);
    const { data } = await results.read("loss");
    results.dispose();
    return data[0];
  };
  const values = async state => {
    const all = [];
    for (const name of state.names) all.push(...(await state.read(name)).data);
    return all;
  };
  const refused = promise => promise.then(() => null, ({ name, diagnostics }) => [name, diagnostics?.[0].code, ...(diagnostics?.[0].help ?? [])]);
  const whole = executable.createState(first);
  const state = executable.createState(first);
  const wanted = [];
  for (let step = 0; step < 6; step++) wanted.push(await run(whole, step));
  const got = [];
  for (const step of [0, 1]) got.push(await run(state, step));
  await values(state);
  await run(state, 2);
  const unread = await executable.run(feeds(3), whole);
  lose();
  const errors = [await refused(unread.read("loss")), await refused(run(state, 3))];
  for (const step of [2, 3, 4, 5]) got.push(await run(state, step));
  return { wanted, got, errors };
})()`;

inBrowserTests(() => {
  let opened: OpenPage;
  const { host, page } = watchedBrowser();
  beforeAll(async () => {
    build();
    opened = await openPage();
  });
  afterAll(() => Promise.all([opened?.close(), host.close()]));
  const lose = () => page().evaluate("lose()");

  test("in a page, the same executable and state go on", async () => {
    const found = (await opened.page.evaluate(inPage)) as Record<string, unknown>;
    expect(found.got).toEqual(found.wanted);
    expect(found.errors).toEqual([
      ["FrondError", "F0915", "results that were not read are gone", "the next run opens another device"],
      [
        "FrondError",
        "F0915",
        "the state is again what it was after step 1: the step since then is lost",
        "the next run opens another device",
      ],
    ]);
  });

  test("from Node, step by step", async () => {
    await host.open();
    await page().evaluate(watch);
    const remote = inBrowser("webgl", { host, copyEvery: 3600 });
    const whole = await train(remote);
    const wanted: number[] = [];
    for (let step = 0; step < 6; step++) wanted.push(await whole.step(step));
    const other = await train(remote);
    for (let step = 0; step < 2; step++) expect(await other.step(step)).toBe(wanted[step]);
    const copied = bits(await valuesIn(other.state));
    for (let step = 2; step < 4; step++) expect(await other.step(step)).toBe(wanted[step]);
    await lose();
    const error = (await errorOf(other.step(4))) as DeviceLost;
    expect([error.diagnostics[0]!.code, error.kept, error.lost]).toEqual(["F0915", { runs: 2, step: 1 }, 2]);
    expect(bits(await valuesIn(other.state))).toEqual(copied);
    for (let step = 2; step < 6; step++) expect(await other.step(step)).toBe(wanted[step]);
    // Other states are told of it, too.
    expect(await errorOf(whole.state.read(whole.state.names[0]!))).toMatchObject({
      kept: { runs: 0, step: null },
      lost: 6,
    });
  });

  test("from Node, from whatever copy there is", async () => {
    const remote = inBrowser("webgl", { host, copyEvery: 0.05 });
    const whole = await train(remote);
    const wanted: number[] = [];
    for (let step = 0; step < 15; step++) wanted.push(await whole.step(step));
    const { step } = await train(remote);
    let next = 0;
    const goOn = async () => {
      for (const end = next + 2; next < end; next++) expect(await step(next)).toBe(wanted[next]);
    };
    for (const wait of [0, 40, 200]) {
      await goOn();
      // A copy may be made, or meet the loss, or neither.
      await new Promise(resolve => setTimeout(resolve, wait));
      await lose();
      const found = await step(next).catch((error: unknown) => error as DeviceLost);
      if (typeof found === "number") expect(found).toBe(wanted[next++]);
      else {
        expect(found.diagnostics[0]!.code).toBe("F0915");
        expect(found.kept!.runs + found.lost).toBe(next);
        next = found.kept!.runs;
      }
      await goOn();
    }
  });

  test("a session trains on from its last epoch", async () => {
    const size = 12;
    const data = makeDataset(
      "data",
      new Map([
        ["x", { dtype: "real", shape: [size, 5, 3], data: Float32Array.from({ length: size * 15 }, (_, i) => Math.sin(i * i)) }], // biome-ignore format: one array
        ["y", { dtype: "index", shape: [size, 5], data: Int32Array.from({ length: size * 5 }, (_, i) => i % 2) }], // biome-ignore format: one array
      ]),
    );
    const backend = inBrowser("webgl", { host });
    const whole = new Session({ model, backend });
    await whole.train(data);
    const session = new Session({ model, backend });
    const error = await errorOf(
      session.train(data, {
        onEvent: async event => {
          if (event.kind === "step" && event.place.epoch === 2) await lose();
        },
      }),
    );
    expect(error).toMatchObject({ diagnostics: [{ code: "F0915" }] });
    expect(session.epoch).toBe(1);
    await session.train(data);
    expect(session.epoch).toBe(3);
    expect(bits(session.weights())).toEqual(bits(whole.weights()));
  });
});
