import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/harness/sequencer.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["./test/harness/reporter.ts"],
    sequence: { sequencer: LongestFirst },
    // Properties over hundreds of programs share two cores with each other.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
