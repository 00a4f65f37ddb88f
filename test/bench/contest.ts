// One case: every engine opened with the same work, their results compared, then all timed in turn. A peer that cannot
// be measured is a note. A fault is a failure of Frond's own, or an engine that computes something else than Frond:
// then nothing is compared.

import type { Program } from "../../compiler/index.ts";
import { groupsAndProducts } from "../gpu/groups.ts";
import type { Case, Task } from "./cases.ts";
import type { Host } from "./engine.ts";
import { type Entrant, rowName } from "./engines/index.ts";
import { limitLoop, limitOf } from "./limit.ts";
import type { Cost } from "./meter.ts";
import { digits, type Measured } from "./table.ts";
import { median, race, spread } from "./timer.ts";

/** An engine that takes part. */
export interface Contestant {
  readonly entrant: Entrant;
  readonly host: Host;
  /** The best so far. */
  readonly paces: Map<Task, Pace>;
}

/** How fast an engine was where it was fastest; one of the two bounds what a case takes. */
interface Pace {
  /** FLOP a millisecond. */
  readonly rate: number;
  /** Milliseconds a step of time. */
  readonly step: number;
}

/** A case, the file of its work, what Frond runs and what its products amount to. */
export interface Contest {
  readonly case: Case;
  readonly file: string;
  readonly program: Program;
  readonly flops: number;
  readonly seconds: number;
  readonly log: Log;
}

/** Where a run says how it goes. */
export interface Log {
  /** A case's results. */
  block(text: string): void;
  /** A line beside them. */
  note(text: string): void;
  /** A line that makes the run fail. */
  fault(text: string): void;
}

const unknownPace: Pace = { rate: Number.POSITIVE_INFINITY, step: 0 };

interface Opened {
  readonly contestant: Contestant;
  readonly check: readonly number[];
}

/** A single call may take so many times what an engine is timed for; what is foreseen to take longer is not begun. */
const longestCall = 10;

/** Of losses as a fraction, of other results as they are; float32 in another order stays far below. */
const tolerance = 1e-4;

export async function hold(
  contest: Contest,
  contestants: readonly Contestant[],
): Promise<readonly Measured[]> {
  const opened: Opened[] = [];
  for (const contestant of contestants) {
    const check = await open(contest, contestant);
    if (check !== null) opened.push({ contestant, check });
  }
  compare(contest, opened);
  const hosts = opened.map(({ contestant }) => contestant.host);
  const [limits, ...samples] = await race([limitLoop(), ...hosts], contest.seconds);
  const limit = limits instanceof Error ? Number.NaN : limitOf(median(limits!));
  const measured: Measured[] = [];
  for (const [i, { contestant }] of opened.entries()) {
    try {
      const times = samples[i]!;
      if (times instanceof Error) throw times;
      const cost = await contestant.host.cost(1000 * contest.seconds);
      measured.push(measuredOf(contest, contestant, { times, cost, limit }));
    } catch (error) {
      fail(contest, contestant, error);
    }
  }
  for (const host of hosts) await host.close().catch(() => {});
  return measured;
}

/** What it computes; null, and why, where it is not to be timed. */
async function open(contest: Contest, contestant: Contestant): Promise<readonly number[] | null> {
  const { case: one, file, flops, seconds, log } = contest;
  const { entrant, host, paces } = contestant;
  const { rate, step } = paces.get(one.task) ?? unknownPace;
  const foreseen = Math.max(flops / rate, one.steps * step) / 1000;
  if (foreseen > longestCall * seconds) {
    const help = `--seconds ${Math.ceil(foreseen / longestCall)} takes it in`;
    log.note(`${longName(one, entrant)}: left out, a call would take about ${digits(foreseen)} s (${help})`);
    return null;
  }
  try {
    return await host.open(one, file);
  } catch (error) {
    fail(contest, contestant, error);
    return null;
  }
}

const longName = (one: Case, entrant: Entrant): string =>
  `${rowName(one, entrant)}${entrant.threads > 1 ? ` (${entrant.threads} threads)` : ""}`;

function fail({ case: one, log }: Contest, { entrant }: Contestant, error: unknown): void {
  const text = `${longName(one, entrant)}: ${error instanceof Error ? error.message : error}`;
  if (entrant.own) log.fault(text);
  else log.note(text);
}

/** Compares with Frond, or with the first where Frond does not take part. */
function compare({ case: one, log }: Contest, opened: readonly Opened[]): void {
  const base = opened.find(({ contestant }) => contestant.entrant.own) ?? opened[0];
  for (const { contestant, check } of opened) {
    const off = difference(base!.check, check, one.task);
    if (off <= tolerance) continue;
    const other = base!.contestant.entrant.name;
    log.fault(
      `${longName(one, contestant.entrant)}: its results differ from ${other}'s by ${off.toExponential(1)}`,
    );
  }
}

/** NaN, which is within no tolerance, where it cannot be told. */
export function difference(expected: readonly number[], found: readonly number[], task: Task): number {
  if (expected.length !== found.length) return Number.NaN;
  const each = expected.map(
    (value, i) => Math.abs(found[i]! - value) / (task === "train" ? Math.abs(value) : 1),
  );
  return Math.max(0, ...each);
}

function measuredOf(
  { case: one, program, flops }: Contest,
  { entrant, paces }: Contestant,
  { times, cost, limit }: { times: readonly number[]; cost: Cost | null; limit: number },
): Measured {
  const ms = median(times);
  const { task, layer, batch, steps, inputs, units } = one;
  const best = paces.get(task) ?? { rate: 0, step: Number.POSITIVE_INFINITY };
  paces.set(task, { rate: Math.max(best.rate, flops / ms), step: Math.min(best.step, ms / steps) });
  return {
    row: {
      ...{ task, layer, batch, steps, inputs, units },
      ...{ engine: entrant.name, threads: entrant.threads },
      ...{ ms, gflops: flops / ms / 1e6, limit, ...cost },
      ...(cost !== null && entrant.own && { groups: groupsAndProducts(program, steps) }),
    },
    own: entrant.own,
    spread: times.length < 3 ? Number.NaN : spread(times),
  };
}
