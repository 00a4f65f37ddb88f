// Every model on native, TensorFlow's library, where it is installed.

import { describe } from "vitest";
import { runs, why } from "../native/installed.ts";
import { conformance } from "./models.ts";

describe.runIf(runs)(`native${why}`, () => conformance("native"));
