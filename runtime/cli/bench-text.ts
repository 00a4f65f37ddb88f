// What `frond bench` found as aligned text, and as JSON.

import { grouped } from "../../compiler/diagnostics/wording.ts";
import { median } from "../bench.ts";
import type { LineTime, ProfileByLine } from "../profile.ts";
import { plural, table } from "./print.ts";
import { digits, profileText } from "./profile-text.ts";
import { type Setting, settingText } from "./setting.ts";

export interface Timed {
  readonly what: "inference" | "training";
  readonly flops: number;
  /** Milliseconds of each. */
  readonly runs: readonly number[];
  readonly profile: ProfileByLine | null;
}

export interface Benched {
  readonly model: string;
  readonly backend: string;
  readonly threads: number;
  readonly setting: Setting;
  readonly timed: readonly Timed[];
}

export const names = { inference: "inference", training: "training step" } as const;

/** @param columns that a line may take. */
export function benchText({ model, backend, threads, setting, timed }: Benched, columns: number): string {
  const on = threads === 1 ? backend : `${backend}, up to ${plural(threads, "thread")}`;
  const rows = timed.map(one => {
    const { middle, least, rate, gflops } = figuresOf(one, setting);
    const times = [`${digits(middle)} ms`, `${digits(least)} ms`, grouped(one.runs.length)];
    return [names[one.what], ...times, digits(rate), digits(gflops)];
  });
  const head = ["", "median", "least", "runs", "examples/s", "GFLOP/s"];
  return [
    `${model} on ${on}: ${settingText(setting)}\n`,
    table([head, ...rows], [1, 2, 3, 4, 5]),
    ...timed.flatMap(({ what, profile }) =>
      profile === null ? [] : [profileText(profile, what === "training", columns)],
    ),
  ].join("\n");
}

function figuresOf({ runs, flops }: Timed, { batch }: Setting) {
  const middle = median(runs);
  // A short step is timed more often than a call may have arguments.
  const least = runs.reduce((least, run) => Math.min(least, run), Number.POSITIVE_INFINITY);
  return { middle, least, rate: (1000 * batch) / middle, gflops: flops / middle / 1e6 };
}

const profileJson = ({ source: _, lines, ...apart }: ProfileByLine): unknown => ({
  lines: lines.map(lineJson),
  ...apart,
});

const lineJson = ({ source, line, text, forward, backward, inside }: LineTime): unknown => ({
  file: source.name,
  line,
  text,
  forward,
  backward,
  ...(inside.length === 0 ? {} : { inside: inside.map(lineJson) }),
});

export function benchJson({ model, backend, threads, setting, timed }: Benched): unknown {
  const result = (wanted: Timed["what"]): unknown => {
    const one = timed.find(({ what }) => what === wanted);
    if (one === undefined) return null;
    const { middle, least, rate, gflops } = figuresOf(one, setting);
    const { runs, flops, profile } = one;
    return {
      milliseconds: { median: middle, least },
      runs: runs.length,
      examplesPerSecond: rate,
      flops,
      gflopsPerSecond: gflops,
      ...(profile === null ? {} : { profile: profileJson(profile) }),
    };
  };
  return {
    model,
    backend,
    threads,
    batch: setting.batch,
    lengths: Object.fromEntries(setting.lengths),
    assumed: setting.assumed,
    inference: result("inference"),
    training: result("training"),
  };
}
