// The programs that the set-up of native runs, and where they are found.

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { FrondError } from "../../../compiler/diagnostics/error.ts";
import { report } from "../../../compiler/diagnostics/report.ts";
import type { Program } from "./run.ts";
import type { Machine, Work } from "./work.ts";

/** The npm that started us, else the one that came with this Node, else the one on the path. */
export function npm({ env, node, platform }: Machine): Program {
  const bin = dirname(node);
  const candidates = [
    env.npm_execpath ?? "",
    join(bin, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
    join(bin, "node_modules", "npm", "bin", "npm-cli.js"),
  ];
  const script = candidates.find(path => /npm-cli\.[cm]?js$/.test(path) && existsSync(path));
  if (script !== undefined) return { file: node, first: [script] };
  return { file: platform === "win32" ? "npm.cmd" : "npm", first: [] };
}

export const npmMissing = (): FrondError =>
  missing("npm", ["it comes with Node; Debian and Ubuntu have it as `npm`"]);

/** A Python that has pip. Throws a FrondError where there is none. */
export async function pip({ run, machine }: Work): Promise<Program> {
  const names = [machine.env.PYTHON ?? "", "python3", "python"].filter(name => name !== "");
  let withoutPip: string | null = null;
  for (const file of names) {
    const { ok, missing } = await run({ file, first: [] }, ["-m", "pip", "--version"]);
    if (ok) return { file, first: ["-m", "pip"] };
    if (!missing) withoutPip ??= file;
  }
  if (withoutPip === null)
    throw missing("Python 3 with pip", ["Debian and Ubuntu have it as `python3-pip`, Fedora too"]);
  throw missing("pip", [
    `${withoutPip} has none; Debian and Ubuntu have it as \`python3-pip\`, Fedora too`,
    "a Python with another name is found by PYTHON",
  ]);
}

/** Throws a FrondError where there is none. */
export async function compiler({ run, machine }: Work): Promise<Program> {
  const named = (machine.env.CXX ?? "").split(" ").filter(word => word !== "");
  for (const [file = "", ...first] of [named, ["c++"], ["g++"], ["clang++"]]) {
    if (file !== "" && (await run({ file, first }, ["--version"])).ok) return { file, first };
  }
  throw missing("a C++ compiler", [
    "Debian and Ubuntu have it as `g++`, Fedora as `gcc-c++`, Arch as `gcc`",
    "one with another name is found by CXX",
  ]);
}

const missing = (tool: string, help: readonly string[]): FrondError =>
  new FrondError([report("F0911", { tool }, null, { help })]);
