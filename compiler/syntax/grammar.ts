// The grammar of spec/frond.ohm, loaded from the recipe that scripts/generate.mjs has made of it, so that start-up
// does not parse the grammar.

import * as ohm from "ohm-js";
import { recipe } from "../generated/grammar.ts";

// ohm-js exports makeRecipe (its own command line writes calls of it) but leaves it out of its types.
declare module "ohm-js" {
  export function makeRecipe(recipe: readonly unknown[]): ohm.Grammar;
}

let loaded: ohm.Grammar | null = null;

export function grammar(): ohm.Grammar {
  loaded ??= ohm.makeRecipe(recipe);
  return loaded;
}
