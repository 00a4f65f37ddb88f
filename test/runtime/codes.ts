// What an action reports.

import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";

/** The diagnostics that it ends with; none if it succeeds. Anything else thrown is passed on. */
export async function diagnosticsOf(
  action: Promise<unknown> | (() => unknown),
): Promise<readonly Diagnostic[]> {
  try {
    await (typeof action === "function" ? action() : action);
    return [];
  } catch (error) {
    if (error instanceof FrondError) return error.diagnostics;
    throw error;
  }
}

export async function codesOf(action: Promise<unknown> | (() => unknown)): Promise<readonly string[]> {
  return (await diagnosticsOf(action)).map(({ code }) => code);
}
