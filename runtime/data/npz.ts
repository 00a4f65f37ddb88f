// NumPy archives: a zip file with one `.npy` array for each name.

import { unzipSync, zipSync } from "fflate";
import type { Tensor } from "../../backends/api.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { report } from "../../compiler/diagnostics/report.ts";
import { readNpy, writeNpy } from "./npy.ts";

/** Reads all arrays of an archive; `file` is its name in messages. */
export function readNpz(bytes: Uint8Array, file: string): ReadonlyMap<string, Tensor> {
  const arrays = new Map<string, Tensor>();
  for (const [path, content] of Object.entries(unzip(bytes, file))) {
    const name = path.replace(/\.npy$/, "").normalize("NFC");
    arrays.set(name, readNpy(content, name, file));
  }
  return arrays;
}

/** The archive's bytes: the same for the same arrays, whenever it is made. */
export function writeNpz(arrays: ReadonlyMap<string, Tensor>): Uint8Array {
  const files = [...arrays].map(([name, tensor]) => [`${name}.npy`, writeNpy(tensor)] as const);
  return zipSync(Object.fromEntries(files), { level: 6, mtime: new Date(1980, 0, 1) });
}

function unzip(bytes: Uint8Array, file: string): Record<string, Uint8Array> {
  try {
    return unzipSync(bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new FrondError([
      report("F0830", { file }, null, { help: [`it begins like a .npz archive but is not sound: ${why}`] }),
    ]);
  }
}
