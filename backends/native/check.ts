// A program of its own: loads tfjs-node and multiplies two matrices with it, then prints what came of it as one line of
// JSON. `frond setup native` runs it in a child process, so that a library that crashes takes nothing with it.

import type { Availability } from "../api.ts";
import { loadTfjsNode } from "./load.ts";

process.stdout.write(`${JSON.stringify(await check())}\n`);

async function check(): Promise<Availability & { readonly folder?: string }> {
  const native = await loadTfjsNode();
  if (!native.available) return native;
  const { tf, detail, folder } = native;
  const a = tf.tensor2d([
    [1, 2],
    [3, 4],
  ]);
  const product = [...tf.matMul(a, a).dataSync()].join();
  if (product === "7,10,15,22") return { available: true, detail, folder };
  const reason = `${detail} multiplies wrongly: ${product}`;
  return { available: false, reason, remedy: "report it" };
}
