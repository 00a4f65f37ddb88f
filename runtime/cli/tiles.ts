// Tells the wasm backend which tile to compile products with: the one that FROND_TILE names, as `4x2`, else the one
// that suits this engine, remembered in the user's folder for caches. Results are the same with all of them.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { tilesFile, tuningStore } from "../node/tuning-store.ts";
import type { Io } from "./io.ts";

export async function setUpTiles(env: Io["env"]): Promise<void> {
  const { fixTile, readTile, rememberTiles } = await import("../../backends/registry.ts");
  const named = env.FROND_TILE ?? "";
  const tile = named === "" ? null : readTile(named);
  if (named !== "" && tile === null) {
    const expected = "rows x vectors, at most `8x4`, such as `4x2`";
    throw new FrondError([report("F0922", { option: "FROND_TILE", expected }, null)]);
  }
  fixTile(tile);
  rememberTiles(tuningStore(() => tilesFile(env)));
}
