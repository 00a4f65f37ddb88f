// The benchmark's entry, used by scripts/bench.mjs with the options that it has read (arguments.ts).

import { cpus } from "node:os";
import { plural } from "../../runtime/cli/print.ts";
import type { BenchOptions } from "./arguments.ts";
import { bench, plan } from "./bench.ts";
import { entrants, rowName } from "./engines/index.ts";
import { comparison } from "./table.ts";

const planOf = ({ only, threads, peers }: BenchOptions) =>
  plan(
    entrants(threads).filter(({ own }) => own || peers),
    only,
  );

/** Whether packages of test/bench/peers will be used. */
export const wantsPackages = (options: BenchOptions): boolean =>
  !options.list && [...planOf(options).values()].flat().some(({ packaged }) => packaged);

/** Runs and prints; the result is the exit code. */
export async function main(options: BenchOptions): Promise<0 | 1> {
  const planned = planOf(options);
  if (planned.size === 0) {
    console.error("bench: no row matches; `npm run bench -- --list` names them all");
    return 1;
  }
  if (options.list) {
    const names = [...planned].flatMap(([one, all]) => all.map(entrant => rowName(one, entrant)));
    console.log([...new Set(names)].join("\n"));
    return 0;
  }
  process.once("SIGINT", () => process.exit(130));
  const say = options.json ? console.error : console.log;
  const processor = cpus()[0]?.model ?? "unknown processor";
  say(
    `${cpus().length} x ${processor}, ${process.platform} ${process.arch}, ${options.seconds} s for each row`,
  );
  let faults = 0;
  const fault = (text: string) => {
    faults += 1;
    say(`ERROR ${text}`);
  };
  const rows = await bench(planned, options.seconds, { block: say, note: say, fault });
  console.log(options.json ? JSON.stringify(rows, null, 2) : comparison(rows));
  if (faults > 0) console.error(`bench: ${plural(faults, "error")}, see above`);
  return faults > 0 ? 1 : 0;
}
