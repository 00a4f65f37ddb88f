// The benchmark's options: read as those of `frond` are, and refused in one line.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { parse } from "../../runtime/cli/arguments.ts";
import { columns } from "../../runtime/cli/command.ts";
import { flag, type Option, positive, wrong } from "../../runtime/cli/options.ts";

const name = "npm run bench";

const pattern: Option<RegExp | null> = {
  kind: "value",
  placeholder: "REGEX",
  doc: "only rows whose task/layer/BxTxIxU/engine it matches: `train/lstm`, `/32x50x10x128/(frond|jax)`",
  expected: "a regular expression",
  read: texts => {
    const given = texts.at(-1);
    if (given === undefined) return null;
    try {
      return new RegExp(given);
    } catch {
      return wrong;
    }
  },
};

const mostThreads = 256;

const threadCounts: Option<readonly number[] | null> = {
  kind: "value",
  placeholder: "N,N,..",
  doc: "how many threads engines get that have threads (default 1,2; those on TensorFlow 1)",
  expected: `whole numbers from 1 to ${mostThreads}, as in \`1,2\``,
  read: texts => {
    const given = texts.at(-1);
    if (given === undefined) return null;
    const counts = given.split(",").map(count => (/^\d+$/.test(count) ? Number(count) : 0));
    return counts.every(count => count >= 1 && count <= mostThreads) ? [...new Set(counts)] : wrong;
  },
};

const options = {
  only: pattern,
  seconds: positive("S", "how long each engine is timed for a row, in seconds (default 0.5)"),
  threads: threadCounts,
  json: flag("print an array of rows; what else there is to say goes to standard error"),
  list: flag("print the names of the rows and time nothing"),
  "no-peers": flag("Frond alone; install nothing"),
};

export interface BenchOptions {
  readonly only: RegExp | null;
  readonly seconds: number;
  /** Null for what is usual. */
  readonly threads: readonly number[] | null;
  readonly json: boolean;
  readonly list: boolean;
  readonly peers: boolean;
}

export const help = `npm run bench: time Frond's backends and what they are compared with, in turn

usage: npm run bench -- [options]

Prints medians. \`limit\` is what 128-bit multiply and add reach on one core, measured in the same
run; GFLOP/s count the products of the compiled program, for every engine of a row alike. The peers
in JavaScript are installed into test/bench/peers, those in Python are used where they can be imported.

options:
${columns([...Object.entries({ ...options, help: flag("show this help") })].map(([option, { placeholder, doc }]) => [`--${option} ${placeholder}`.trimEnd(), doc] as const))}

environment:
  FROND_BENCH_PYTHON  the Python that has torch or jax (default python3)
  FROND_BROWSER       the browser for WebGL and WebGPU (default the first that is found)

examples:
  npm run bench
  npm run bench -- --only 'train/lstm/.*/(frond|pytorch)' --seconds 3
  npm run --silent bench -- --only '/32x50x10x128/' --json > rows.json
`;

/** The options, or a line that says what is wrong with them; null where help is wanted. */
export function readOptions(argv: readonly string[]): BenchOptions | string | null {
  if (argv.includes("--help") || argv.includes("-h")) return null;
  try {
    const { values, positionals } = parse(name, argv, options);
    const [argument] = positionals;
    if (argument !== undefined) throw new FrondError([report("F0924", { command: name, argument }, null)]);
    return {
      only: values.only,
      seconds: values.seconds ?? 0.5,
      threads: values.threads,
      json: values.json,
      list: values.list,
      peers: !values["no-peers"],
    };
  } catch (error) {
    if (!(error instanceof FrondError)) throw error;
    return `bench: ${error.diagnostics.map(({ title, help }) => [title, ...help].join("; ")).join("; ")}`;
  }
}
