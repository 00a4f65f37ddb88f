import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["./test/harness/reporter.ts"],
    // Properties over hundreds of programs share two cores with each other.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
