// Asks a process of its own whether tfjs-node loads and computes (backends/native/check.ts), as a library may crash.

import { join } from "node:path";
import type { Availability } from "../../../backends/api.ts";
import { packageRoot } from "../root.ts";
import type { Work } from "./work.ts";

export type Checked = Availability & { readonly folder?: string };

/** Of the one in that folder; where there is none, of whichever Frond would load. */
export async function check({ run, machine }: Work, folder?: string): Promise<Checked> {
  // As it is built: Node 20 runs no TypeScript.
  const program = join(packageRoot(), "dist", "backends", "native", "check.js");
  const env = folder === undefined ? {} : { FROND_NATIVE: folder };
  const { out, err, signal } = await run({ file: machine.node, first: [] }, [program], {
    cwd: machine.cwd,
    env,
    minutes: 2,
  });
  const answer = out.split("\n").find(line => line.startsWith("{"));
  if (answer !== undefined) return JSON.parse(answer);
  // TensorFlow's builds end a process in one of these ways on processors older than AVX.
  const reason =
    signal === "SIGILL" || signal === "SIGABRT"
      ? `loading it ended with ${signal}: TensorFlow wants a processor with AVX`
      : `loading it ended with ${signal ?? "nothing said"}`;
  return { available: false, reason, remedy: err.trim().split("\n").at(-1) ?? "" };
}
