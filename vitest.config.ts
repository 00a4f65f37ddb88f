import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/harness/sequencer.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["./test/harness/reporter.ts"],
    sequence: { sequencer: LongestFirst },
    // Vitest would take one on two cores; many files wait for a browser or another process.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Properties over hundreds of programs share two cores with each other.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
