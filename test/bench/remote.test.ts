// A host in another process: answers come back, and its end is told.

import { afterEach, expect, test } from "vitest";
import { RemoteHost } from "./remote.ts";

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

const hosts: RemoteHost[] = [];

function hostOf(command: readonly string[]): RemoteHost {
  const host = new RemoteHost(command);
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
