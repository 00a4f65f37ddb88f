// How a training looks while it runs: on a terminal one live line, elsewhere plain lines, few and far between.
// Makes text only; who writes it and what time it is are given.

import type { Scores } from "./scores.ts";
import type { EpochEvent, Place, TrainEvent } from "./train.ts";

export interface ProgressOptions {
  /** A live line that is drawn over itself; else plain lines. */
  readonly live: boolean;
  readonly columns: () => number;
  readonly write: (text: string) => void;
  /** Milliseconds, from anywhere. */
  readonly now: () => number;
  /** Marks what is less important; the identity without colours. */
  readonly dim: (text: string) => string;
}

/** Milliseconds between redrawings of the live line, and between plain lines. */
const liveInterval = 80;
const plainInterval = 5_000;
const clearLine = "\r\x1b[2K";
const barWidth = 20;

export class Progress {
  readonly #options: ProgressOptions;
  readonly #started: number;
  #epochStarted: number;
  #shown: number;
  /** Examples of all epochs seen in this run, for the rate. */
  #examples = 0;
  #dirty = false;

  constructor(options: ProgressOptions) {
    this.#options = options;
    this.#started = options.now();
    this.#epochStarted = this.#started;
    this.#shown = options.live ? Number.NEGATIVE_INFINITY : this.#started;
  }

  show(event: TrainEvent): void {
    if (event.kind === "epoch") {
      this.#showEpoch(event);
      return;
    }
    const { live, now, columns, write } = this.#options;
    if (now() - this.#shown < (live ? liveInterval : plainInterval)) return;
    this.#shown = now();
    const parts = event.kind === "step" ? this.#step(event) : this.#validate(event);
    if (live) {
      write(`${clearLine}${fitted(parts, columns() - 1)}`);
      this.#dirty = true;
    } else write(`${line(parts)}\n`);
  }

  /** Leaves the terminal as it should be when the training ends early. */
  finish(): void {
    if (this.#dirty) this.#options.write(clearLine);
    this.#dirty = false;
  }

  #step({ place, scores, examples }: Extract<TrainEvent, { kind: "step" }>): readonly Part[] {
    const seconds = Math.max(this.#options.now() - this.#started, 1) / 1000;
    const seen = this.#examples + examples;
    const rate = seen / seconds;
    const left = (place.epochs - place.epoch + 1) * place.of - examples;
    return [
      { text: epochOf(place), spare: 0 },
      { text: this.#bar(place.step / place.steps), spare: 4 },
      { text: `step ${pad(place.step, place.steps)}`, spare: 1 },
      { text: formatScores(scores), spare: 2 },
      { text: `${formatRate(rate)} examples/s`, spare: 5 },
      { text: `${formatTime(left / rate)} left`, spare: 3 },
    ];
  }

  #validate({ place, examples, of }: Extract<TrainEvent, { kind: "validate" }>): readonly Part[] {
    return [
      { text: epochOf(place), spare: 0 },
      { text: this.#bar(examples / of), spare: 2 },
      { text: `validating ${pad(examples, of)}`, spare: 1 },
    ];
  }

  #bar(done: number): string {
    return this.#options.live ? bar(done) : "";
  }

  #showEpoch({ place, train, validation }: EpochEvent): void {
    const now = this.#options.now();
    const seconds = (now - this.#epochStarted) / 1000;
    this.#epochStarted = now;
    this.#examples += place.of;
    this.finish();
    this.#shown = this.#options.live ? Number.NEGATIVE_INFINITY : now;
    const valid = validation === null ? "" : `  valid: ${formatScores(validation)}`;
    const text = `${epochOf(place)}  ${formatScores(train)}${valid}`;
    const time = formatTime(seconds);
    const notes = [`  (${time}, ${formatRate(place.of / seconds)} examples/s)`, `  (${time})`];
    // On a terminal a note must not wrap.
    const room = this.#options.live ? this.#options.columns() - text.length : Number.POSITIVE_INFINITY;
    const note = notes.find(one => one.length <= room) ?? "";
    this.#options.write(`${text}${this.#options.dim(note)}\n`);
  }
}

/** A part of a line; where room is short, those with the largest number go first. */
interface Part {
  readonly text: string;
  readonly spare: number;
}

const line = (parts: readonly Part[]): string =>
  parts.flatMap(({ text }) => (text === "" ? [] : [text])).join("  ");

/** A line of at most `width`: one that wraps cannot be drawn over. */
function fitted(parts: readonly Part[], width: number): string {
  const whole = line(parts);
  if (whole.length <= width) return whole;
  const most = Math.max(...parts.map(({ spare }) => spare));
  if (most === 0) return whole.slice(0, Math.max(width, 0));
  return fitted(
    parts.filter(({ spare }) => spare < most),
    width,
  );
}

const epochOf = ({ epoch, epochs }: Place): string => `epoch ${pad(epoch, epochs)}`;

const pad = (value: number, of: number): string => `${String(value).padStart(String(of).length)}/${of}`;

function bar(done: number): string {
  const full = Math.round(Math.min(done, 1) * barWidth);
  return `[${"=".repeat(full)}${" ".repeat(barWidth - full)}]`;
}

/** `loss 0.6931  accuracy 0.875` */
export function formatScores({ loss, metrics }: Scores): string {
  const all: [string, number][] = loss === null ? [...metrics] : [["loss", loss], ...metrics];
  return all.map(([name, value]) => `${name} ${formatNumber(value)}`).join("  ");
}

/** Four significant digits, so that columns stay quiet. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(3);
  return value.toFixed(size >= 1000 ? 1 : 4);
}

function formatRate(rate: number): string {
  if (!Number.isFinite(rate)) return "?";
  return rate >= 100 ? String(Math.round(rate)) : rate.toFixed(1);
}

/** `8 s`, `2 min 05 s`, `1 h 02 min` */
export function formatTime(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
