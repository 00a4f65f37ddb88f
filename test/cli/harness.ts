// Runs commands in this process: streams are kept as text, the compiler is a stub that knows one model.

import { backends, openBackend } from "../../backends/registry.ts";
import { render } from "../../compiler/diagnostics/render.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { frond } from "../../runtime/cli/frond.ts";
import type { Io, Loaders } from "../../runtime/cli/io.ts";
import { tagger } from "../runtime/tagger.ts";

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface World {
  readonly stdin?: Uint8Array | string;
  readonly env?: Io["env"];
  readonly terminal?: boolean;
  readonly load?: Partial<Loaders>;
}

/** What the stub says of a source: the word `wrong` in it is an unknown name. */
const checkSource: Awaited<ReturnType<Loaders["checker"]>>["checkSource"] = source => {
  const at = source.text.indexOf("wrong");
  if (at < 0) return [];
  const span = { source, start: at, end: at + 5 };
  return [report("F0101", { name: "wrong" }, span, { help: ["did you mean `right`?"] })];
};

const stub: Loaders = {
  checker: async () => ({ checkSource }),
  compiler: async () => ({
    compileModel: source => {
      const diagnostics = checkSource(source);
      return { model: diagnostics.length > 0 ? null : tagger, diagnostics };
    },
  }),
  backends: async () => ({ all: backends, open: openBackend }),
  renderer: async () => (diagnostics, color) => render(diagnostics, { color }),
};

/** `frond ARGV` in that world. */
export async function run(argv: readonly string[], world: World = {}): Promise<Outcome> {
  const text = { out: "", err: "" };
  const output = (stream: "out" | "err") => ({
    write: (part: string) => {
      text[stream] += part;
    },
    terminal: world.terminal ?? false,
    columns: 100,
    color: false,
  });
  const { stdin = "" } = world;
  const code = await frond(argv, {
    out: output("out"),
    err: output("err"),
    readStdin: async () => (typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin),
    now: () => performance.now(),
    env: world.env ?? {},
    onInterrupt: () => () => {},
    load: { ...stub, ...world.load },
  });
  return { code, ...text };
}
