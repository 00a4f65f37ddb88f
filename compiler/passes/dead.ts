// Pass `dead`: drops nodes that no output reaches.
//
// Needs nothing. Guarantees that every node is reached. Method: a search from the outputs; counting uses would keep
// dead cycles alive, and an adjoint has many.

import type { Pass } from "./pass.ts";
import { withoutDead } from "./rewriter.ts";

export const dead: Pass = { name: "dead", doc: "Drops nodes that no output reaches.", run: withoutDead };
