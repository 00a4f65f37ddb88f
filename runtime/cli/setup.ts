// frond setup: installs what a backend needs beyond Frond's own packages.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { nearest } from "../../compiler/diagnostics/nearest.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { command } from "./command.ts";
import type { Io } from "./io.ts";
import { summaries } from "./summaries.ts";

const names = ["native"];

export const setup = command({
  name: "frond setup",
  summary: summaries.setup,
  usage: "NAME",
  arity: { least: 1, most: 1 },
  doc: `\`native\`: @tensorflow/tfjs-node with TensorFlow's library. Does nothing where it loads already, from the
project's node_modules or from an earlier set-up. Else it is installed into a folder of Frond's own in
the user's folder for caches, or into FROND_NATIVE; the project is left alone. 700 MB on the disk.

The library is downloaded by tfjs-node itself, or, where that does not work, taken out of TensorFlow's
Python package, which needs pip and a C++ compiler (Linux only). npm and pip download from where they
are configured to.`,
  options: {},
  examples: ["frond setup native", "FROND_NATIVE=/opt/frond-native frond setup native"],
  run: async ({ positionals }, io) => {
    const name = positionals[0]!;
    if (!names.includes(name)) throw unknown(name);
    await setUp(io);
    return 0;
  },
});

async function setUp(io: Io): Promise<void> {
  const { setUpNative, thisMachine } = await import("../node/native/setup.ts");
  const { runner } = await import("../node/native/run.ts");
  const { failed } = await import("../node/native/work.ts");
  const stop = new AbortController();
  const undo = io.onInterrupt(() => stop.abort(failed("the last step", "it was interrupted")));
  const say = (step: string, text: string) => io.out.write(`${step.padEnd(8)}  ${text}\n`);
  try {
    await setUpNative({ machine: thisMachine(io.env), run: runner(stop.signal), say });
  } finally {
    undo();
  }
}

function unknown(name: string): FrondError {
  const near = nearest(name, names);
  const help = near === null ? `there is ${names.join(", ")}` : `did you mean \`frond setup ${near}\`?`;
  return new FrondError([report("F0929", { name }, null, { help: [help] })]);
}
