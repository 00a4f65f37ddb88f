// The backend that a command runs on: the one named, or the fastest for the program at hand.

import type { Backend } from "../../backends/api.ts";
import { type ChooseOptions, choose } from "../choice.ts";
import type { Trial } from "../measure.ts";
import type { Io } from "./io.ts";

/** @param trial made only where there is something to choose. */
export async function openFor(
  name: string | null,
  trial: () => Trial,
  io: Io,
  { threads, ...options }: ChooseOptions & { readonly threads?: number } = {},
): Promise<Backend> {
  const { chooser, open } = await io.load.backends(threads);
  if ((name !== null && name !== "auto") || chooser === undefined) return open(name ?? "auto");
  return (await choose(trial(), chooser(), options)).backend;
}
