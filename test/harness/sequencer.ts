// The order of test files: those that take longest first, so that no worker waits for one that was begun last.

import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest first. */
const long: readonly string[] = [
  "test/conformance/steps.test.ts",
  "test/conformance/ops.test.ts",
  "test/conformance/results.test.ts",
  "test/end-to-end/programs.test.ts",
  "test/backends/graphs.test.ts",
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = long.indexOf(relative(process.cwd(), moduleId).replaceAll("\\", "/"));
      return at < 0 ? long.length : at;
    };
    // Sorting keeps the order of equals.
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
