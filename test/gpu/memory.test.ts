// What a run takes is what was said before it, counted on a device that computes nothing: never more, and not much less.

import { expect, test } from "vitest";
import type { Device, Matrix } from "../../backends/gpu/device.ts";
import { GpuExecutable } from "../../backends/gpu/executable.ts";
import { glsl } from "../../backends/webgl/glsl.ts";
import { levels } from "../../compiler/index.ts";
import { compileNamed, environmentOf, extentsOf, modelNames } from "../harness/models.ts";
import { feedsOf, valuesOf } from "../harness/training.ts";

class Scale implements Device {
  readonly dialect = glsl;
  readonly takesParts = false;
  readonly inputs = 16;
  readonly limits = { texels: 16384, total: 2 ** 25 };
  readonly lost = null;
  bytes = 0;
  most = 0;

  compile = (text: Parameters<Device["compile"]>[0]) => ({ text });
  run: Device["run"] = (_program, _inputs, _integers, rows, texels) => this.allocate(rows, texels);
  allocate(rows: number, texels: number): Matrix {
    this.bytes += 16 * rows * texels;
    this.most = Math.max(this.most, this.bytes);
    return { rows, texels };
  }
  upload = (rows: number, texels: number): Matrix => this.allocate(rows, texels);
  copy(): void {}
  read = ({ rows, texels }: Matrix): Promise<Float32Array> =>
    Promise.resolve(new Float32Array(4 * rows * texels));
  free({ rows, texels }: Matrix): void {
    this.bytes -= 16 * rows * texels;
  }
}

test.each(modelNames)("%s", async name => {
  const model = compileNamed(name);
  const programs = levels.flatMap(level => [
    ...(model.hasLoss ? [model.train(undefined, level)] : []),
    model.infer(level),
  ]);
  for (const program of programs) {
    for (const shortest of [2, 12]) {
      const device = new Scale();
      const open = () => Promise.resolve(device);
      const executable = await GpuExecutable.compile({ backend: "scale", open }, program);
      const environment = environmentOf(program, { batch: 8, extent: 12, shortest });
      const said = executable.memory(8, extentsOf(environment));
      expect(device.most).toBe(0);
      const state = executable.createState(valuesOf(program, environment));
      // Puts the variables on the device.
      (await executable.run(feedsOf(environment), state)).dispose();
      const variables = device.bytes;
      device.most = 0;
      (await executable.run(feedsOf(environment), state)).dispose();
      const taken = device.most - variables;
      expect(taken).toBeLessThanOrEqual(said);
      // Lengths are not needed where they are all the same.
      expect(said).toBeLessThanOrEqual(1.1 * taken);
    }
  }
});
