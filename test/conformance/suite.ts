// The one runner of the conformance suite: every case on every backend that is here, against straight code on the float64
// reference, which is computed once for all of them.

import { afterAll, describe, expect, test } from "vitest";
import { closeBrowsers } from "../../backends/browser/index.ts";
import { reference } from "../../backends/reference/index.ts";
import { backendsHere } from "./backends.ts";
import type { Aspect, Case } from "./cases.ts";
import { compute, differenceOf } from "./difference.ts";

/** Tests of these cases. */
export function conformance(cases: readonly Case[], aspects: readonly Aspect[]): void {
  afterAll(closeBrowsers);
  for (const each of cases) {
    describe(each.name, () => {
      for (const aspect of aspects) {
        const oracle = once(() => compute(each, aspect, reference, "full"));
        for (const backend of backendsHere) {
          test(`${aspect} on ${backend.name}`, async () => {
            expect(await differenceOf(each, aspect, backend, await oracle())).toBeNull();
          });
        }
      }
    });
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
