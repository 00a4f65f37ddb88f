// What a training shows: a live line on a terminal, few plain lines elsewhere.

import { describe, expect, test } from "vitest";
import { formatNumber, formatTime, Progress } from "../../runtime/progress.ts";
import type { TrainEvent } from "../../runtime/train.ts";

const scores = { loss: 0.51234, metrics: new Map([["accuracy", 0.875]]) };
const place = (epoch: number, step: number) => ({ epoch, epochs: 10, step, steps: 20, of: 640 });
const step = (epoch: number, at: number): TrainEvent => ({
  kind: "step",
  place: place(epoch, at),
  scores,
  examples: at * 32,
});

function show(live: boolean, secondsPerStep: number, columns = 120): { lines: string[]; text: string } {
  let now = 0;
  let text = "";
  const write = (part: string) => {
    text += part;
  };
  const progress = new Progress({ live, columns: () => columns, write, now: () => now, dim: part => part });
  for (const epoch of [1, 2]) {
    for (let at = 1; at <= 20; at++) {
      now += 1000 * secondsPerStep;
      progress.show(step(epoch, at));
    }
    progress.show({ kind: "validate", place: place(epoch, 20), examples: 5, of: 50 });
    progress.show({ kind: "epoch", place: place(epoch, 20), train: scores, validation: scores });
  }
  progress.finish();
  return { text, lines: text.split("\n").slice(0, -1) };
}

describe("without a terminal", () => {
  test("a line an epoch, and one every few seconds within long ones", () => {
    expect(show(false, 0.01).lines).toEqual([
      "epoch  1/10  loss 0.5123  accuracy 0.8750  valid: loss 0.5123  accuracy 0.8750  (0.2 s, 3200 examples/s)",
      "epoch  2/10  loss 0.5123  accuracy 0.8750  valid: loss 0.5123  accuracy 0.8750  (0.2 s, 3200 examples/s)",
    ]);
    // 20 steps of a second: a line each 5 s.
    const { lines, text } = show(false, 1);
    expect(lines[0]).toBe(
      "epoch  1/10  step  5/20  loss 0.5123  accuracy 0.8750  32.0 examples/s  3 min 15 s left",
    );
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(text).not.toContain("\r");
    expect(text).not.toContain("\u001b");
  });
});

describe("on a terminal", () => {
  test("one line is drawn over and over; each epoch leaves one behind", () => {
    const { lines, text } = show(true, 1);
    expect(lines).toHaveLength(2);
    const drawn = text.split("\r\u001b[2K");
    expect(drawn[10]).toBe(
      "epoch  1/10  [==========          ]  step 10/20  loss 0.5123  accuracy 0.8750  32.0 examples/s  3 min 10 s left",
    );
    expect(drawn.at(-1)).toMatch(/^epoch 2\/10|^epoch {2}2\/10/);
  });

  /** What is drawn in the middle of the first epoch, and what is left of it. */
  const at = (columns: number): readonly (string | undefined)[] => {
    const { text, lines } = show(true, 1, columns);
    return [text.split("\r\u001b[2K")[10], lines[0]!.split("\r\u001b[2K").at(-1)];
  };
  test("where it is narrow, what matters least is left out", () => {
    const scored = "epoch  1/10  loss 0.5123  accuracy 0.8750  valid: loss 0.5123  accuracy 0.8750";
    expect(at(100)).toEqual([
      "epoch  1/10  [==========          ]  step 10/20  loss 0.5123  accuracy 0.8750  3 min 10 s left",
      `${scored}  (20 s)`,
    ]);
    expect(at(80)).toEqual([
      "epoch  1/10  step 10/20  loss 0.5123  accuracy 0.8750  3 min 10 s left",
      scored,
    ]);
    expect(at(60)[0]).toBe("epoch  1/10  step 10/20  loss 0.5123  accuracy 0.8750");
    expect(at(40)[0]).toBe("epoch  1/10  step 10/20");
    expect(at(8)[0]).toBe("epoch  ");
  });

  test("steps that follow fast are not all drawn", () => {
    expect(show(true, 0.01).text.split("\r\u001b[2K").length).toBeLessThan(14);
  });
});

test("numbers and times are short", () => {
  expect([0, 0.5, 12.34567, 1234.56, 1e-5, 123456, Number.NaN].map(formatNumber)).toEqual([
    "0.0000",
    "0.5000",
    "12.3457",
    "1234.6",
    "1.000e-5",
    "1.235e+5",
    "NaN",
  ]);
  expect([0.25, 9.96, 59.4, 125, 3725, Infinity].map(formatTime)).toEqual([
    "0.3 s",
    "10.0 s",
    "59 s",
    "2 min 05 s",
    "1 h 02 min",
    "?",
  ]);
});
