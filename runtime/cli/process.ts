// The process's own streams and the real loaders of Frond's heavy parts.

import type { Backend } from "../../backends/api.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import type { Chooser } from "../choice.ts";
import { readHelp, writeHelp } from "../node/files.ts";
import { machine } from "../node/machine.ts";
import { choicesFile, tuningStore } from "../node/tuning-store.ts";
import { type Io, type Output, wantsColor } from "./io.ts";
import { setUpTiles } from "./tiles.ts";

export function processIo(): Io {
  endWithReader(process.stdout, "standard output");
  endWithReader(process.stderr, "standard error");
  return {
    out: output(process.stdout),
    err: output(process.stderr),
    readStdin,
    now: () => performance.now(),
    env: process.env,
    onInterrupt,
    load: {
      checker: () => import("../../compiler/index.ts"),
      compiler: () => import("../../compiler/index.ts"),
      backends: async (threads = 1) => {
        const { backends, openBackend, wantThreads } = await import("../../backends/registry.ts");
        await setUpTiles(process.env);
        wantThreads(threads);
        const chooser = () => chooserOf(backends, process.env);
        return { all: backends, open: openBackend, chooser };
      },
      renderer: async () => {
        const { render } = await import("../../compiler/diagnostics/render.ts");
        return (diagnostics, color) => render(diagnostics, { color });
      },
    },
  };
}

/** Choices are remembered in the user's folder for caches. */
const chooserOf = (backends: readonly Backend[], env: Io["env"]): Chooser => ({
  backends,
  store: tuningStore(() => choicesFile(env)),
  host: machine(),
});

function output(stream: NodeJS.WriteStream): Output {
  const terminal = stream.isTTY === true;
  return {
    write: text => void stream.write(text),
    terminal,
    get columns() {
      // Some terminals say 0.
      return stream.columns || 80;
    },
    color: wantsColor(process.env, terminal),
  };
}

/** `frond dump .. | head` ends without a word when head has seen enough; a full disk is told. */
function endWithReader(stream: NodeJS.WriteStream, name: string): void {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    if (stream !== process.stderr)
      process.stderr.write(
        `error[F0821]: cannot write ${name}\nhelp: ${writeHelp(name, error).join("; ")}\n`,
      );
    process.exit(1);
  });
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of process.stdin) chunks.push(chunk);
  } catch (error) {
    const path = "<stdin>";
    throw new FrondError([report("F0820", { path }, null, { help: readHelp(path, error) })]);
  }
  return Buffer.concat(chunks);
}

/** The first Ctrl-C calls the handler, a second one ends the process. */
function onInterrupt(handler: () => void): () => void {
  process.once("SIGINT", handler);
  return () => void process.removeListener("SIGINT", handler);
}
