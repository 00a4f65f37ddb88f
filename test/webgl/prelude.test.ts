// The prelude in GLSL, as a headless browser computes it.

import { afterAll, beforeAll } from "vitest";
import { glsl } from "../../backends/webgl/glsl.ts";
import { inBrowserTests } from "../browser/harness.ts";
import { testPrelude } from "../gpu/prelude.ts";
import { type OpenPage, openPage } from "./page.ts";

inBrowserTests(() => {
  let opened: OpenPage;
  beforeAll(async () => {
    opened = await openPage();
  });
  afterAll(() => opened?.close());

  /** What a body computes, in rows of one texel. */
  const compute = (body: string, inputs: readonly (readonly number[])[], count: number): Promise<number[]> =>
    opened.page.evaluate(
      async ({ body, inputs, count }) => {
        const device = await window.frond.same();
        const matrices = inputs.map(data => device.upload(data.length / 4, 1, new Float32Array(data)));
        const program = device.compile({ rows: 1, inputs: inputs.length, integers: 0, body });
        const result = await device.read(device.run(program, matrices, [], count / 4, 1));
        const error = device.backend.gpgpu.gl.getError();
        if (error !== 0) throw new Error(`WebGL reports ${error}`);
        return [...result];
      },
      { body, inputs, count },
    );

  testPrelude(glsl, compute);
});
