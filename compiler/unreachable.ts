// The two ways in which the compiler says "this is our bug", never the user's.

/** Our own bug: names the pass and the place, so that a report can be acted on. Bad input never throws this. */
export class InternalError extends Error {
  override readonly name = "InternalError";
  constructor(where: string, what: string) {
    super(`${where}: ${what}`);
  }
}

/** Ends an exhaustive switch: the type checker refuses the call while a case is left over. */
export function unreachable(value: never): never {
  throw new InternalError("unreachable", `unexpected ${JSON.stringify(value)}`);
}
