// A training of a thousand steps on webgl, with batches and lengths that change: what it leaves on the device is what ten
// steps leave, and nothing when all is disposed of.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Feeds, Tensor } from "../../backends/api.ts";
import type * as codec from "../../backends/browser/codec.ts";
import { encode } from "../../backends/browser/codec.ts";
import type * as gpu from "../../backends/gpu/executable.ts";
import type { Program } from "../../compiler/index.ts";
import { feedsAt, inBrowserTests, trainingProgram } from "../browser/harness.ts";
import { environmentOf } from "../harness/models.ts";
import { valuesOf } from "../harness/training.ts";
import { type OpenPage, openPage } from "./page.ts";

interface Training {
  readonly program: Program;
  readonly values: ReadonlyMap<string, Tensor>;
  /** Taken in turn. */
  readonly feeds: readonly Feeds[];
}

/** What the page has loaded beside its device. */
interface Loaded extends Window {
  readonly modules: { readonly compileOn: typeof gpu.compileOn; readonly decode: typeof codec.decode };
}

const script = `
import { compileOn } from "/dist/backends/gpu/executable.js";
import { decode } from "/dist/backends/browser/codec.js";
window.modules = { compileOn, decode };
`;

inBrowserTests(() => {
  let opened: OpenPage;
  beforeAll(async () => {
    opened = await openPage();
    await opened.page.addScriptTag({ type: "module", content: script });
    await opened.page.waitForFunction(() => "modules" in window);
  });
  afterAll(() => opened.close());

  test("textures and data of 1,000 steps are those of 10", async () => {
    const program = trainingProgram("lstm");
    const values = valuesOf(program, environmentOf(program, { seed: 9 }));
    const feeds = Array.from({ length: 10 }, (_, step) => feedsAt(program, step));
    const training: Training = { program, values, feeds };
    const { counts, losses } = await opened.page.evaluate(
      async bytes => {
        const { compileOn, decode } = (window as unknown as Loaded).modules;
        const { program, values, feeds } = decode(Uint8Array.from(bytes).buffer) as Training;
        const device = await window.frond.open();
        const manager = device.backend.getTextureManager();
        const count = () => [manager.getNumUsedTextures(), device.backend.numDataIds()];
        const counts = [count()];
        const executable = await compileOn({ backend: "webgl", open: async () => device }, program, 1);
        const state = executable.createState(values);
        const losses: number[] = [];
        for (let step = 0; step < 1000; step++) {
          const results = await executable.run({ ...feeds[step % feeds.length]!, step }, state);
          if (step % 10 === 9) losses.push((await results.read("loss")).data[0]!);
          results.dispose();
          if (step === 9 || step === 999) counts.push(count());
        }
        state.dispose();
        executable.dispose();
        counts.push(count());
        device.close();
        return { counts, losses };
      },
      [...encode(training)],
    );
    const [before, ten, thousand, disposed] = counts;
    expect(thousand).toEqual(ten);
    expect(ten![0]).toBeGreaterThan(before![0]!);
    expect(disposed).toEqual(before);
    // The loss of the same batch.
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!);
  });
});
