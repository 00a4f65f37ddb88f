// `frond backends --explain` as text and as JSON.

import type { Explained, ExplainedUse, Explanation } from "./explain.ts";
import { table, toWidth } from "./print.ts";
import { digits } from "./profile-text.ts";
import { settingText } from "./setting.ts";

const headings = { infer: "inference", train: "training step" } as const;

/** @param columns that a line may take. */
export function explanationText(explanation: Explanation, columns: number): string {
  const { model, setting, choices, backends } = explanation;
  const uses = choices.map(({ use }) => use);
  const time = (milliseconds: number | null): string =>
    milliseconds === null ? "-" : `${digits(milliseconds)} ms`;
  const rows = backends.map(({ name, times }) => [name, ...uses.map(use => time(times[use]))]);
  const numbers = uses.map((_, i) => i + 1);
  const [head, ...lines] = table([["", ...uses.map(use => headings[use])], ...rows], numbers).split("\n");
  const indent = " ".repeat(Math.max(0, ...[head!, ...lines].map(line => line.length)) + 2);
  const width = Math.max(20, columns - indent.length);
  const noted = backends.flatMap(({ notes }, i) => {
    const [first = "", ...others] = notes.flatMap(note => wrapped(note, width));
    return [`${lines[i]!.padEnd(indent.length)}${first}`, ...others.map(other => `${indent}${other}`)];
  });
  return [
    `${model}: ${settingText(setting)}`,
    "",
    head!,
    ...noted.map(line => line.trimEnd()),
    "",
    ...choices.map(choiceText),
    helpText(explanation),
    "",
  ].join("\n");
}

const words = { infer: "inference", train: "training" } as const;

/** `training: wasm, measured now` */
const choiceText = (choice: Explained): string =>
  `${words[choice.use]}: ${choice.backend}, ${whyText(choice)}`;

function whyText({ why, date }: Explained): string {
  switch (why) {
    case "measured":
      return "the fastest as measured now";
    case "remembered":
      return `the fastest as measured on ${date} (--again measures anew)`;
    case "named":
      return "as --backend says";
    case "only":
      return "the only one that is there";
  }
}

const helpText = ({ choices }: Explanation): string =>
  choices.every(({ why }) => why === "named")
    ? "without --backend, the fastest is taken"
    : "another one: --backend NAME with every command that runs programs";

/** In lines of that width, broken between words. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map(one => (one.length > width ? toWidth(one, width) : one));
}

export function explanationJson({ model, setting, choices, backends }: Explanation): unknown {
  const timed = (times: { readonly [U in ExplainedUse]: number | null }) => ({
    inference: times.infer,
    training: times.train,
  });
  return {
    model,
    batch: setting.batch,
    lengths: Object.fromEntries(setting.lengths),
    assumed: setting.assumed,
    choices: choices.map(({ use, backend, why, date }) => ({ for: words[use], backend, why, date })),
    backends: backends.map(({ name, available, times, notes }) => ({
      name,
      available,
      milliseconds: timed(times),
      notes,
    })),
  };
}
