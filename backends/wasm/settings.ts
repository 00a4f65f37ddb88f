// What the host decides about tiles before the first program is compiled: where choices are remembered, or which tile
// it is to be. Stands apart from tuning.ts so that it can be called without loading the code generator.

import type { Tile } from "../codegen/tile.ts";

/** One text, kept from one process to the next. What it holds is tuning.ts's affair. Either may reject. */
export interface TuningStore {
  /** Null where nothing was written yet. */
  read(): Promise<string | null>;
  write(text: string): Promise<void>;
}

export interface TileSettings {
  readonly store: TuningStore | null;
  /** Not null: no other, and nothing is measured. */
  readonly tile: Tile | null;
}

const pageKey = "frond/tiles";

/** A page's own; where it has none, or may not use it, both reject. */
export const pageStore: TuningStore = {
  read: async () => localStorage.getItem(pageKey),
  write: async text => localStorage.setItem(pageKey, text),
};

/** In Node the file is runtime/node's affair, and `localStorage` would only give a warning. */
const inNode = typeof process === "object" && process.versions?.node !== undefined;

let current: TileSettings = { store: inNode ? null : pageStore, tile: null };

export const tileSettings = (): TileSettings => current;

/** Keeps what is found here; to be called before the first program is compiled. Null: for this process only. */
export function rememberTiles(store: TuningStore | null): void {
  current = { ...current, store };
}

/** From now on, programs are compiled with this tile; null: with the one that seems best here. */
export function fixTile(tile: Tile | null): void {
  current = { ...current, tile };
}

/** `4x2`: rows x vectors. */
export const formatTile = ({ rows, vectors }: Tile): string => `${rows}x${vectors}`;

/** Null where it is no tile that could be of use. */
export function readTile(text: string): Tile | null {
  const [, rows, vectors] = /^([1-8])x([1-4])$/.exec(text) ?? [];
  return rows === undefined ? null : { rows: Number(rows), vectors: Number(vectors) };
}
