// Hosts in another process: answers come back, its end is told, and it ends with the last of them.

import { afterEach, expect, test } from "vitest";
import type { Host } from "./engine.ts";
import { ProcessLine } from "./process-line.ts";
import type { Reply } from "./protocol.ts";
import { Family } from "./remote.ts";

/** Answers what `answer` makes of a request; prints something else first. */
const script = (answer: string): readonly string[] => [
  process.execPath,
  "-e",
  `console.log("a banner");
  require("readline").createInterface({ input: process.stdin }).on("line", line => {
    const request = JSON.parse(line);
    console.log("=> " + JSON.stringify(${answer}));
  });`,
];

const hosts: Host[] = [];

function hostOf(command: readonly string[]): Host {
  const host = new Family(new ProcessLine(command)).join("one");
  hosts.push(host);
  return host;
}

afterEach(() => {
  for (const host of hosts.splice(0)) host.end();
});

test("answers come back", async () => {
  const host = hostOf(script("{ value: [request.budget, 2] }"));
  expect(await host.time(1)).toEqual([1, 2]);
  expect(await host.time(5)).toEqual([5, 2]);
});

test("so do errors", async () => {
  await expect(hostOf(script(`{ error: "no memory" }`)).probe()).rejects.toThrow("no memory");
});

test("an end is told, with the last it said, and it starts again", async () => {
  const host = hostOf(
    script(`request.do === "time" ? (console.error("one\\ntwo"), process.exit(3)) : { value: 1 }`),
  );
  await expect(host.time(1)).rejects.toThrow("ended with status 3: two");
  expect(await host.probe()).toBe(1);
});

test("so is a program that is not there", async () => {
  await expect(hostOf(["frond-no-such-program"]).probe()).rejects.toThrow(
    "there is no frond-no-such-program",
  );
});

test("each engine of a family is asked by name; the place ends with the last of them, once", async () => {
  const told: string[] = [];
  const line = {
    isOpen: true,
    ask: async ({ engine, ...command }: { engine: string; do: string }): Promise<Reply> => {
      told.push(`${engine} ${command.do}`);
      return { value: null };
    },
    end: () => void told.push("end"),
  };
  const family = new Family(line);
  const [one, other] = [family.join("one"), family.join("other")];
  await one.cost(1);
  await other.close();
  one.end();
  one.end();
  expect(told).toEqual(["one cost", "other close"]);
  other.end();
  expect(told.at(-1)).toBe("end");
});
