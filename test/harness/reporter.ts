// Prints one line for each test file and each failure in full, then the counts. scripts/test.mjs reads the counts
// from the file that FROND_TEST_COUNTS names and prints them itself, as its very last line.

import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";

type Failure = { readonly title: string; readonly errors: readonly Described[] };
type Described = {
  readonly message: string;
  readonly diff?: string | undefined;
  readonly stack?: string | undefined;
};

export default class FrondReporter implements Reporter {
  readonly #failures: Failure[] = [];
  readonly #counts = { passed: 0, failed: 0, skipped: 0 };
  readonly #started = Date.now();

  onTestModuleEnd(module: TestModule): void {
    const file = relative(process.cwd(), module.moduleId).replaceAll("\\", "/");
    const tests = [...module.children.allTests()];
    for (const test of tests) this.#count(file, test);
    const outside = [
      ...module.errors(),
      ...[...module.children.allSuites()].flatMap(suite => suite.errors()),
    ];
    if (outside.length > 0) {
      this.#counts.failed += 1;
      this.#failures.push({ title: `${file} (outside of its tests)`, errors: outside });
    }
    const seconds = (module.diagnostic().duration / 1000).toFixed(1);
    console.log(`${module.ok() ? "ok  " : "FAIL"} ${file} (${tests.length} tests, ${seconds} s)`);
  }

  onTestRunEnd(_: readonly TestModule[], unhandled: readonly Described[]): void {
    if (unhandled.length > 0) {
      this.#counts.failed += 1;
      this.#failures.push({ title: "errors that no test caught", errors: unhandled });
    }
    for (const failure of this.#failures) console.log(`\n${describe(failure)}`);
    if (this.#failures.length > 0) console.log("");
    const { passed, failed, skipped } = this.#counts;
    const counts = process.env.FROND_TEST_COUNTS;
    if (counts !== undefined) writeFileSync(counts, JSON.stringify(this.#counts));
    console.log(`tests: ${((Date.now() - this.#started) / 1000).toFixed(1)} s`);
    if (counts === undefined) {
      console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
    }
  }

  #count(file: string, test: TestCase): void {
    const result = test.result();
    if (result.state === "passed") this.#counts.passed += 1;
    else if (result.state === "failed") {
      this.#counts.failed += 1;
      this.#failures.push({ title: `${file} > ${test.fullName}`, errors: result.errors });
    } else this.#counts.skipped += 1;
  }
}

function describe({ title, errors }: Failure): string {
  const parts = errors.map(error => {
    const diff = error.diff === undefined ? "" : `\n${error.diff}`;
    return indent(`${error.message}${diff}\n${places(error.stack ?? "")}`.trimEnd());
  });
  return [`FAIL ${title}`, ...parts].join("\n");
}

/** The stack's lines that lie in our own files. */
function places(stack: string): string {
  return stack
    .split("\n")
    .filter(line => /^\s+at /.test(line) && !line.includes("node_modules"))
    .slice(0, 5)
    .map(line => line.replace(`${process.cwd()}/`, "").trim())
    .join("\n");
}

const indent = (text: string): string => text.replaceAll(/^/gm, "     ");
