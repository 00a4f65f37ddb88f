// The run: which rows are wanted, which engines are there, then case after case.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Case, cases } from "./cases.ts";
import { type Contestant, hold, type Log } from "./contest.ts";
import type { Probe } from "./engine.ts";
import { type Entrant, rowName } from "./engines/index.ts";
import { block, type Row } from "./table.ts";
import { makeWork, productFlops, writeWork } from "./work.ts";

/** Each wanted case with the engines wanted for it, among those that support it. */
export function plan(all: readonly Entrant[], only: RegExp | null): ReadonlyMap<Case, readonly Entrant[]> {
  const wanted = (one: Case) =>
    all.filter(entrant => entrant.supports(one) && (only?.test(rowName(one, entrant)) ?? true));
  return new Map(cases.map(one => [one, wanted(one)] as const).filter(([, entrants]) => entrants.length > 0));
}

export async function bench(
  planned: ReadonlyMap<Case, readonly Entrant[]>,
  seconds: number,
  log: Log,
): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "frond-bench-"));
  const file = join(folder, "work.safetensors");
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", clean);
  const all = [...planned.values()];
  const contestants = await start([...new Set(all.flat())], log);
  const rows: Row[] = [];
  try {
    for (const [at, [one, entrants]] of [...planned].entries()) {
      const there = contestants.filter(({ entrant }) => entrants.includes(entrant));
      if (there.length === 0) continue;
      const work = makeWork(one);
      writeWork(file, work);
      const { program } = work;
      const flops = productFlops(program, one);
      const measured = await hold({ case: one, file, program, flops, seconds, log }, there);
      if (measured.length > 0) log.block(block(one, flops, measured));
      rows.push(...measured.map(({ row }) => row));
      const still = new Set(all.slice(at + 1).flat());
      for (const { entrant, host } of there) if (!still.has(entrant)) host.end();
    }
  } finally {
    for (const { host } of contestants) host.end();
    process.off("exit", clean);
    clean();
  }
  return rows;
}

/** Those that are there; every name is told once, with its version or what is missing. */
async function start(entrants: readonly Entrant[], log: Log): Promise<readonly Contestant[]> {
  const contestants: Contestant[] = [];
  const told = new Set<string>();
  for (const entrant of entrants) {
    const host = entrant.start();
    const probe = await host.probe().catch(unavailable);
    if (probe.available) contestants.push({ entrant, host, paces: new Map() });
    else host.end();
    if (!told.has(entrant.name))
      log.note(`${entrant.name}: ${probe.available ? probe.detail : probe.reason}`);
    told.add(entrant.name);
  }
  return contestants;
}

const unavailable = (error: Error): Probe => ({ available: false, reason: error.message });
