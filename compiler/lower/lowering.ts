// What all of one lowering shares: the graph being built, the work still to do, what went wrong. Each equation is a
// job of its own, tied to its readers by a placeholder, so that neither long chains of equations nor deep nests of
// layers make the recursion deep.

import type { Diagnostic, Span } from "../diagnostics/diagnostic.ts";
import { report } from "../diagnostics/report.ts";
import { grouped } from "../diagnostics/wording.ts";
import type { DType, NodeId } from "../graph/graph.ts";
import { GraphBuilder, type Place } from "../ops/builder.ts";
import type { LayerCall, TypedEquation } from "../semantics/typed.ts";
import type { Mode, ParameterSpec } from "./model.ts";

/** Numbers in one value, and in all parameters together: 1 GiB of float32. */
export const largestValue = 2 ** 28;
/** Equations, boundaries, arguments and steps of static axes that one model may come to. */
const mostWork = 50_000;
/** Indices of a static axis. */
export const longestStaticAxis = 65_536;

/** `what` has `count` of the unit, more than `most`. */
export const tooLarge = (
  what: string,
  count: number,
  unit: string,
  most: number,
  span: Span | null,
): Diagnostic =>
  report("F0713", { what, count: grouped(count), unit }, span, { label: `at most ${grouped(most)} ${unit}` });

/** Errors that are collected before giving up. */
const mostErrors = 50;

/** Ends a job whose error has been reported; `Lowering.run` goes on with the next one. Never leaves this folder. */
class Refused extends Error {}

export interface MadeParameter {
  readonly spec: ParameterSpec;
  readonly node: NodeId;
}

export class Lowering {
  readonly builder = new GraphBuilder();
  readonly #mode: Mode;
  #modeAsked = false;
  /** By full name; layers that share an instance share its entries. */
  readonly parameters = new Map<string, MadeParameter>();
  /** Equations by full name, for LoweredModel.names. */
  readonly names = new Map<string, NodeId>();
  /** The same equations as they were checked. */
  readonly equations = new Map<string, TypedEquation>();
  /** The calls behind each instance, by its path. */
  readonly layers = new Map<string, readonly LayerCall[]>();
  readonly #jobs: (() => void)[] = [];
  readonly #found = new Map<string, Diagnostic>();
  #work = 0;
  #numbers = 0;
  #sites = 0;

  constructor(mode: Mode) {
    this.#mode = mode;
  }

  get mode(): Mode {
    this.#modeAsked = true;
    return this.#mode;
  }

  /** Whether the other mode would have given another graph. */
  get dependsOnMode(): boolean {
    return this.#modeAsked;
  }

  /** A placeholder that `make` gives a value later. */
  defer(
    type: { readonly dtype: DType; readonly shape: readonly number[] },
    place: Place,
    make: () => NodeId,
  ): NodeId {
    const placeholder = this.builder.placeholder(type, place);
    this.#jobs.push(() => {
      this.spend(1, place);
      this.builder.bind(
        placeholder,
        this.builder.withPlace(place, () => make()),
      );
    });
    return placeholder;
  }

  /** Does all jobs, those included that jobs add. */
  run(): void {
    for (let at = 0; at < this.#jobs.length; at++) {
      if (this.#work > mostWork || this.#found.size >= mostErrors) return;
      this.attempt(this.#jobs[at]!);
    }
  }

  /** What `make` gives, or null when it reported an error. */
  attempt<T>(make: () => T): T | null {
    try {
      return make();
    } catch (error) {
      if (error instanceof Refused) return null;
      throw error;
    }
  }

  /** Counts work and refuses models that come to too much of it. */
  spend(amount: number, place: Partial<Place>): void {
    this.#work += amount;
    if (this.#work > mostWork) {
      this.refuse(tooLarge("a model", this.#work, "equations", mostWork, place.span ?? null));
    }
  }

  /** Adds a parameter's numbers; returns how many there are in all. */
  countNumbers(more: number): number {
    this.#numbers += more;
    return this.#numbers;
  }

  /** A number for a draw: the k-th call of a random function that lowering meets has k. */
  nextSite(): number {
    return this.#sites++;
  }

  /** Reports an error and goes on. The same error in several instances of a layer is reported once. */
  add(diagnostic: Diagnostic): void {
    const { code, title, span } = diagnostic;
    const key = `${code} ${title} ${span?.source.name} ${span?.start}`;
    if (!this.#found.has(key)) this.#found.set(key, diagnostic);
  }

  /** Reports an error and ends the job. */
  refuse(diagnostic: Diagnostic): never {
    this.add(diagnostic);
    throw new Refused(diagnostic.title);
  }

  get diagnostics(): readonly Diagnostic[] {
    return [...this.#found.values()];
  }
}
