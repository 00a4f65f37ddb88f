// TensorFlow's library for tests that need it: where it is not installed they are skipped, with a line that says why,
// unless FROND_REQUIRE lists native.

import { loadTfjsNode, type Native } from "../../backends/native/load.ts";

const found = await loadTfjsNode();
const required = (process.env.FROND_REQUIRE ?? "").split(",").includes("native");

/** Why the tests do not run, as part of their name. */
export const why = found.available ? "" : `: ${found.reason}; ${found.remedy}`;
if (why !== "") process.stderr.write(`skipped, native does not load${why}\n`);

/** Whether the tests run; without the library they fail at the first use of it. */
export const runs = found.available || required;

export function installed(): Native {
  if (!found.available) throw new Error(`native does not load${why}`);
  return found;
}
