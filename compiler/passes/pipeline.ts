// The passes in order, and why each stands where it does.

import { algebra } from "./algebra.ts";
import { common } from "./common.ts";
import { copies } from "./copies.ts";
import { dead } from "./dead.ts";
import { fold } from "./fold.ts";
import type { Pass } from "./pass.ts";
import { products } from "./products.ts";

/** On a model before it is differentiated: what is saved here is saved again in every adjoint. */
export const beforeAdjoint: readonly Pass[] = [
  // Lowering leaves unused results of layers behind; nothing else should look at them.
  dead,
  // Static arguments become constants, so that `where` on them is decided ..
  fold,
  // .. and the branch not taken falls away here.
  algebra,
  // After the above, which makes more nodes equal.
  common,
  // Needs operands to be one node, hence after `common`; its slices then have one adjoint.
  products,
];

/** On the whole program, with adjoints and updates, before it is scheduled. */
export const afterAdjoint: readonly Pass[] = [
  // Gradients that nobody asked for.
  dead,
  // Most accumulators have one contribution: everything after has half as much to look at.
  copies,
  // Adjoint rules make the same few constants again and again.
  fold,
  // Zeros through delays, padded slices that tile; needs the copies gone to see them.
  algebra,
  // What `algebra` made of constants only.
  fold,
  // Adjoints repeat forward values. Last, since nothing after it makes nodes equal.
  common,
  // Matrices of one recurrence that only the adjoint reads together.
  products,
];

/** Every pass once, for `frond dump` and tests. */
export const allPasses: readonly Pass[] = [dead, copies, fold, algebra, common, products];
