// The prelude in WGSL, as a headless browser computes it.

import { wgsl } from "../../backends/webgpu/wgsl.ts";
import { testPrelude } from "../gpu/prelude.ts";
import { inWebGPUTests } from "./page.ts";

await inWebGPUTests(opened => {
  /** What a body computes, in rows of one texel. */
  const compute = (body: string, inputs: readonly (readonly number[])[], count: number): Promise<number[]> =>
    opened.page.evaluate(
      async ({ body, inputs, count }) => {
        const device = await window.frondGpu.same();
        const matrices = inputs.map(data => device.upload(data.length / 4, 1, new Float32Array(data)));
        const program = device.compile({ rows: 1, inputs: inputs.length, integers: 0, body });
        const result = await device.read(device.run(program, matrices, [], count / 4, 1));
        return [...result];
      },
      { body, inputs, count },
    );

  testPrelude(wgsl, compute);
});
