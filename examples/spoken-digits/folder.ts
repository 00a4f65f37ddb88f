// Where the example's files are: beside its sources, also when the built code in dist/ runs.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = new URL("./", import.meta.url);
const isSource = existsSync(new URL("model.frond", here));

export const exampleFolder = fileURLToPath(
  isSource ? here : new URL("../../../examples/spoken-digits/", here),
);
