// How many draws a training step takes, counted on a device that computes nothing: at most so many for the README's
// network, and for other cells no more for each nest and product; and none of its matrices is left behind.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Device, Matrix } from "../../backends/gpu/device.ts";
import { GpuExecutable } from "../../backends/gpu/executable.ts";
import { glsl } from "../../backends/webgl/glsl.ts";
import { compile, type Program } from "../../compiler/index.ts";
import { environmentOf } from "../harness/models.ts";
import { feedsOf, trainingConfig, valuesOf } from "../harness/training.ts";
import { groupsAndProducts } from "./groups.ts";

const [batch, steps] = [32, 50];

class Counter implements Device {
  readonly dialect = glsl;
  readonly takesParts = false;
  readonly inputs = 16;
  readonly limits = { texels: 16384, total: 2 ** 25 };
  draws = 0;
  copies = 0;
  /** Matrices that nobody has freed. */
  held = 0;

  compile = (text: Parameters<Device["compile"]>[0]) => ({ text });
  run: Device["run"] = (_program, _inputs, _integers, rows, texels) => {
    this.draws++;
    return this.allocate(rows, texels);
  };
  allocate(rows: number, texels: number): Matrix {
    this.held++;
    return { rows, texels };
  }
  upload = (rows: number, texels: number): Matrix => this.allocate(rows, texels);
  copy(): void {
    this.copies++;
  }
  read = ({ rows, texels }: Matrix): Promise<Float32Array> =>
    Promise.resolve(new Float32Array(4 * rows * texels));
  free(): void {
    this.held--;
  }
  readonly lost = null;
}

function tagger(layer: string): Program {
  const path = join(import.meta.dirname, "..", "bench", "models", `${layer}.frond`);
  const model = compile({ name: path, text: readFileSync(path, "utf8") }, { model: "Tagger" });
  return model.train({ ...trainingConfig, clipNorm: null });
}

async function countsOf(program: Program, runs = 1) {
  const device = new Counter();
  const devices = { backend: "counter", open: () => Promise.resolve(device) };
  const executable = await GpuExecutable.compile(devices, program);
  const environment = environmentOf(program, { batch, extent: steps, shortest: steps });
  const state = executable.createState(valuesOf(program, environment));
  const held: number[] = [];
  for (let step = 0; step < runs; step++) {
    device.draws = 0;
    device.copies = 0;
    (await executable.run({ ...feedsOf(environment), step }, state)).dispose();
    held.push(device.held);
  }
  state.dispose();
  executable.dispose();
  return { draws: device.draws, copies: device.copies, held, left: device.held };
}

test("a training step of the README's network takes at most 350 draws, and leaves no matrix behind", async () => {
  const { draws, copies, held, left } = await countsOf(tagger("lstm"), 4);
  expect(draws).toBeLessThanOrEqual(230);
  expect(copies).toBe(2 * steps);
  // The first step's parameters and moments lie apart, later ones side by side.
  expect(held[3]).toBe(held[1]);
  expect(left).toBe(0);
});

describe("other cells take no more than 1.3 times the LSTM's draws for each nest and product", () => {
  test.each(["gru", "layer-norm-lstm", "tidal", "echo", "deepening", "committee", "notebook", "resonator"])(
    "%s",
    async layer => {
      const perGroup = async (name: string): Promise<number> => {
        const program = tagger(name);
        return (await countsOf(program)).draws / groupsAndProducts(program, steps);
      };
      expect(await perGroup(layer)).toBeLessThanOrEqual(1.3 * (await perGroup("lstm")));
    },
  );
});
