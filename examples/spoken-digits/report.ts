// What the example tells about the network's guesses: accuracy while a recording is heard, and what is confused.

/** Probabilities of the digits at every step of some recordings. */
export interface Guesses {
  /** `[recordings, steps, 10]`, row-major. */
  readonly probabilities: ArrayLike<number>;
  readonly steps: number;
  /** Each recording's own number of steps. */
  readonly lengths: Int32Array;
}

export interface Guess {
  readonly digit: number;
  readonly probability: number;
}

const digits = 10;
const tenths = 10;
const barLength = 30;

/** The likeliest digit of one recording after the given step. */
export function guessAt({ probabilities, steps }: Guesses, recording: number, step: number): Guess {
  const start = (recording * steps + step) * digits;
  let digit = 0;
  for (let i = 1; i < digits; i++) if (probabilities[start + i]! > probabilities[start + digit]!) digit = i;
  return { digit, probability: probabilities[start + digit]! };
}

/** After the last step. */
export const lastGuess = (guesses: Guesses, recording: number): Guess =>
  guessAt(guesses, recording, guesses.lengths[recording]! - 1);

/** The part of recordings named rightly when 1, 2, ... 10 tenths of each were heard. */
export function accuracyByTenth(guesses: Guesses, truth: Int32Array): number[] {
  return Array.from({ length: tenths }, (_, k) => {
    const right = truth.reduce((sum, digit, recording) => {
      const step = Math.ceil((guesses.lengths[recording]! * (k + 1)) / tenths) - 1;
      return sum + (guessAt(guesses, recording, step).digit === digit ? 1 : 0);
    }, 0);
    return right / truth.length;
  });
}

/** A bar for each tenth. */
export function formatCurve(accuracies: readonly number[]): string {
  const lines = accuracies.map((accuracy, k) => {
    const heard = `${((k + 1) * 100) / accuracies.length} %`.padStart(6);
    const bar = "█".repeat(Math.round(accuracy * barLength)).padEnd(barLength, "·");
    return `  ${heard}  ${bar} ${percent(accuracy).padStart(7)}`;
  });
  return ["   heard", ...lines].join("\n");
}

export const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** The most frequent mistakes at the last step, for example `9 for 1 (3 times)`; empty when there were none. */
export function confusions(guesses: Guesses, truth: Int32Array, most = 3): string[] {
  const counts = new Map<string, number>();
  truth.forEach((digit, recording) => {
    const guess = lastGuess(guesses, recording).digit;
    const pair = `${guess} for ${digit}`;
    if (guess !== digit) counts.set(pair, (counts.get(pair) ?? 0) + 1);
  });
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, most)
    .map(([pair, count]) => `${pair} (${count === 1 ? "once" : `${count} times`})`);
}
