// Names outside of definitions: the definitions of a file, what it imports, and the library. Definitions are checked
// when they are first used, and once for each choice of their function arguments.

import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Definition, SourceFile } from "../syntax/ast.ts";
import { type Gaps, noGaps } from "../syntax/parse.ts";
import type { FunctionValue, Target } from "./scope.ts";
import type { AxisName, TypedDefinition, ValueType } from "./typed.ts";
import { namesCalled } from "./walk.ts";

/** A parameter as a call sees it, in the order written. */
export interface Formal {
  readonly name: string;
  readonly kind: "value" | "size" | "number" | "bool" | "function";
  readonly optional: boolean;
}

export interface CheckedDefinition {
  readonly typed: TypedDefinition;
  readonly formals: readonly Formal[];
  /** For each result; null after an error in it. */
  readonly results: readonly (ValueType | null)[];
  /** The arguments that a result needs at the same step, by result: a cycle through them has no delay in here. */
  readonly immediate: ReadonlyMap<string, ReadonlySet<string>>;
  /** Beyond which ends a result is read in here, by result. */
  readonly endsRead: ReadonlyMap<string, readonly EndRead[]>;
  readonly failed: boolean;
  /** Of a layer checked for given functions: its errors, for the caller to report. */
  readonly complaints: readonly Diagnostic[];
}

export interface EndRead {
  readonly axis: AxisName;
  readonly side: "before" | "after";
}

/** What one file sees. */
export interface Globals {
  find(name: string): Target | null;
  /** As `find`, but not as a use of the name. */
  lookUp(name: string): Target | null;
  names(): readonly string[];
  /** `recursive` while the definition is being checked already; `chain` then tells the way around. */
  check(target: Target, functions: ReadonlyMap<string, FunctionValue>): CheckedDefinition | Refusal;
  chain(target: Target): readonly string[];
  /** Names that have been looked for. */
  readonly used: Set<string>;
  /** What of the file could not be read, or not be imported. */
  readonly gaps: Gaps;
}

export type CheckDefinition = (
  target: Target,
  functions: ReadonlyMap<string, FunctionValue>,
) => CheckedDefinition;

/** Why a definition cannot be checked now: it is being checked already, or too many wait for it. */
export type Refusal = "recursive" | "tooDeep";

/** Levels of layers that wait for each other's check: each costs a good part of the stack. */
export const mostWaiting = 10;

const noFunctions: ReadonlyMap<string, FunctionValue> = new Map();

/**
 * Checks each definition once, and refuses circles. Shared by all files of one check (and by all for the library).
 * What a definition calls is checked before it, without recursion; only layers with functions are checked on the way.
 */
export class Workshop {
  readonly #checkDefinition: CheckDefinition;
  readonly #done = new Map<Definition, Map<string, CheckedDefinition>>();
  /** Being prepared or checked, outermost first: each needs the next. */
  readonly #waiting = new Map<Definition, Target>();
  #checking = 0;

  constructor(checkDefinition: CheckDefinition) {
    this.#checkDefinition = checkDefinition;
  }

  check(target: Target, functions: ReadonlyMap<string, FunctionValue>): CheckedDefinition | Refusal {
    const known = this.#done.get(target.definition)?.get(keyOf(functions));
    if (known !== undefined) return known;
    if (this.#waiting.has(target.definition)) return "recursive";
    if (this.#checking >= mostWaiting) return "tooDeep";
    if (this.#checking === 0) this.#prepare(target);
    return this.#done.get(target.definition)?.get(keyOf(functions)) ?? this.#checkNow(target, functions);
  }

  /** Checks what a definition calls, and what that calls, innermost first; then the definition. */
  #prepare(target: Target): void {
    const stack = [{ target, callees: calleesOf(target) }];
    this.#waiting.set(target.definition, target);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.callees.pop();
      if (next === undefined) {
        stack.pop();
        this.#checkNow(top.target, noFunctions);
      } else if (!this.#waiting.has(next.definition) && !this.#done.has(next.definition)) {
        this.#waiting.set(next.definition, next);
        stack.push({ target: next, callees: calleesOf(next) });
      }
    }
  }

  #checkNow(target: Target, functions: ReadonlyMap<string, FunctionValue>): CheckedDefinition {
    const { definition } = target;
    this.#waiting.set(definition, target);
    this.#checking += 1;
    try {
      const checked = this.#checkDefinition(target, functions);
      const versions = this.#done.get(definition) ?? new Map<string, CheckedDefinition>();
      this.#done.set(definition, versions.set(keyOf(functions), checked));
      return checked;
    } finally {
      this.#checking -= 1;
      this.#waiting.delete(definition);
    }
  }

  chain(target: Target): readonly string[] {
    const waiting = [...this.#waiting.keys()];
    const names = waiting.slice(Math.max(0, waiting.indexOf(target.definition))).map(({ name }) => name.name);
    return [...names, target.definition.name.name];
  }
}

/** The layers whose names a definition calls, or gives to calls: more rather than less. */
function calleesOf({ definition, globals }: Target): Target[] {
  const names = new Set<string>();
  for (const statement of definition.body) {
    if (statement.kind === "equation" || statement.kind === "share" || statement.kind === "generate")
      namesCalled(statement.value, names);
  }
  for (const { default: otherwise } of definition.parameters)
    if (otherwise?.kind === "name") names.add(otherwise.name.name);
  return [...names].flatMap(name => globals.lookUp(name) ?? []);
}

/** Definitions are told apart by source and position, since files may use the same name twice. */
function keyOf(functions: ReadonlyMap<string, FunctionValue>): string {
  return [...functions]
    .map(([name, bound]) => {
      if (bound.kind === "builtin") return `${name}=${bound.name}`;
      const { span } = bound.target.definition;
      return `${name}=${span.source.name}@${span.start}`;
    })
    .join(",");
}

export class FileGlobals implements Globals {
  readonly used = new Set<string>();
  readonly #gaps: { readonly any: boolean; readonly names: Set<string> };
  readonly #own = new Map<string, Target>();
  readonly #imported = new Map<string, Target>();
  readonly #library: Globals | null;
  readonly #workshop: Workshop;

  constructor(
    files: readonly SourceFile[],
    library: Globals | null,
    workshop: Workshop,
    gaps: Gaps = noGaps,
  ) {
    this.#gaps = { any: gaps.any, names: new Set(gaps.names) };
    this.#library = library;
    this.#workshop = workshop;
    for (const definition of files.flatMap(file => file.definitions)) {
      // Of two definitions with one name the first counts; the second is reported by check.ts.
      if (!this.#own.has(definition.name.name)) {
        this.#own.set(definition.name.name, { definition, globals: this });
      }
    }
  }

  get gaps(): Gaps {
    return this.#gaps;
  }

  /** Of an import that failed. */
  addGap(name: string): void {
    this.#gaps.names.add(name);
  }

  own(name: string): Target | null {
    return this.#own.get(name) ?? null;
  }

  ownNames(): readonly string[] {
    return [...this.#own.keys()];
  }

  import(name: string, target: Target): void {
    this.#imported.set(name, target);
  }

  imported(name: string): Target | null {
    return this.#imported.get(name) ?? null;
  }

  find(name: string): Target | null {
    this.used.add(name);
    return this.lookUp(name);
  }

  lookUp(name: string): Target | null {
    return this.#own.get(name) ?? this.#imported.get(name) ?? this.#library?.lookUp(name) ?? null;
  }

  names(): readonly string[] {
    return [...this.#own.keys(), ...this.#imported.keys(), ...(this.#library?.names() ?? [])];
  }

  check(target: Target, functions: ReadonlyMap<string, FunctionValue>): CheckedDefinition | Refusal {
    if (
      this.#library !== null &&
      target.globals === this.#library &&
      isSelfContained(functions, this.#library)
    ) {
      return this.#library.check(target, functions);
    }
    return this.#workshop.check(target, functions);
  }

  chain(target: Target): readonly string[] {
    return this.#workshop.chain(target);
  }
}

/** The library's results are kept between checks, so they must not hold a user's layers. */
const isSelfContained = (functions: ReadonlyMap<string, FunctionValue>, library: Globals): boolean =>
  [...functions.values()].every(bound => bound.kind === "builtin" || bound.target.globals === library);
