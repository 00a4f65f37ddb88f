// The benchmark's options are read, and what is wrong with them is said in one line.

import { describe, expect, test } from "vitest";
import { help, readOptions } from "./arguments.ts";

describe("readOptions", () => {
  test("nothing given", () => {
    expect(readOptions([])).toEqual({
      only: null,
      seconds: 0.5,
      threads: null,
      json: false,
      list: false,
      peers: true,
    });
  });

  test("everything given", () => {
    const argv = "--only train/lstm --seconds=3 --threads 1,4,4 --json --list --no-peers".split(" ");
    expect(readOptions(argv)).toEqual({
      only: /train\/lstm/,
      seconds: 3,
      threads: [1, 4],
      json: true,
      list: true,
      peers: false,
    });
  });

  test.each(["--help", "-h"])("%s, whatever else", flag => {
    expect(readOptions(["--nonsense", flag])).toBe(null);
  });

  test.each([
    ["--onyl x", "`npm run bench` has no option `--onyl`; did you mean `--only`?"],
    ["--only (", "option `--only` wants a regular expression"],
    ["--only", "option `--only` wants a regular expression"],
    ["--seconds 0", "option `--seconds` wants a positive number"],
    ["--seconds soon", "option `--seconds` wants a positive number"],
    ["--threads 1,x", "option `--threads` wants whole numbers from 1 to 256, as in `1,2`"],
    ["--threads 0", "option `--threads` wants whole numbers from 1 to 256, as in `1,2`"],
    ["--json=yes", "option `--json` wants no value"],
    ["lstm", "`npm run bench` does not take the argument `lstm`"],
  ])("%s", (text, message) => {
    expect(readOptions(text.split(" "))).toBe(`bench: ${message}`);
  });

  test("all that is wrong, in the same line", () => {
    expect(readOptions(["--seconds", "-1", "--threads="])).toMatch(
      /^bench: .*--seconds.*; .*--threads[^\n]*$/,
    );
  });
});

test("the help names every option", () => {
  for (const name of ["only", "seconds", "threads", "json", "list", "no-peers", "help"])
    expect(help).toContain(`  --${name}`);
});
