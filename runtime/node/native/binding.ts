// Compiles tfjs-node's addon against TensorFlow's library: two files, which need nothing that node-gyp knows. The
// addon uses Node's stable interface (N-API), so one serves all versions of Node from 20 on.

import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { headersIn, packageIn } from "./packages.ts";
import type { Program } from "./run.ts";
import { programFailed, type Work } from "./work.ts";

/** As `binary.napi_versions` in tfjs-node's package.json ends; every Node that Frond runs on has it. */
const napi = 8;

/** Names by which the linker, and tfjs-node's own installation, know the library. */
const links: readonly (readonly [string, string])[] = [
  ["libtensorflow.so", "libtensorflow_cc.so.2"],
  ["libtensorflow.so.2.9.1", "libtensorflow_cc.so.2"],
  ["libtensorflow_framework.so", "libtensorflow_framework.so.2"],
];

export async function compileBinding({ run, say }: Work, folder: string, compiler: Program): Promise<void> {
  const started = performance.now();
  const root = packageIn(folder);
  const deps = join(root, "deps");
  const target = join(root, "lib", `napi-v${napi}`);
  for (const [name, library] of links) symlinkSync(library, join(deps, "lib", name));
  mkdirSync(target, { recursive: true });
  const args = [
    "-O2",
    "-std=c++17",
    "-fPIC",
    "-shared",
    `-DNAPI_VERSION=${napi}`,
    `-I${headersIn(folder)}`,
    `-I${join(deps, "include")}`,
    join(root, "binding", "tfjs_backend.cc"),
    join(root, "binding", "tfjs_binding.cc"),
    `-L${join(deps, "lib")}`,
    "-ltensorflow",
    "-ltensorflow_framework",
    // From the addon's own place: the folder moves when it is ready.
    "-Wl,-rpath,$ORIGIN/../../deps/lib",
    "-o",
    join(target, "tfjs_binding.node"),
  ];
  const ran = await run(compiler, args, { minutes: 10 });
  if (!ran.ok) throw programFailed("compiling the binding", ran);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  say("binding", `compiled with ${compiler.file} in ${seconds} s`);
}
