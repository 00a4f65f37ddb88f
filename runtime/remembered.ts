// Which backend was the fastest for a program, kept from one process to the next: as text, in a store that the host
// gives. What was found holds for one machine, for these versions, and for batches and lengths of about this size.

import type { TuningStore } from "../backends/registry.ts";
import { printProgram } from "../compiler/program/text.ts";
import type { Trial } from "./measure.ts";

export interface Remembered {
  readonly backend: string;
  /** What its probe said: versions. */
  readonly detail: string;
  /** Milliseconds of each that was measured. */
  readonly times: Readonly<Record<string, number>>;
  /** Those that were not there, and said so at once: asked again each time, they may be there by now. */
  readonly missing: readonly string[];
  /** `2026-01-31` */
  readonly date: string;
}

/** Raised when backends change so that old choices mean nothing. */
const format = 1;
/** Choices kept, of all programs. */
const most = 100;
/** Days after which it is measured again: what was slower then may have been replaced by something better. */
const lasting = 30;

/** What a choice is remembered by. `host` says machine and versions. */
export function keyOf({ program, batch, lengths, compile = {}, needs }: Trial, host: string): string {
  const around = JSON.stringify([host, needs ?? "", ...Object.entries(compile).toSorted()]);
  const sizes = [batch, ...lengths.values()].map(sizeClass).join(" ");
  return `${program.name} ${hash(printProgram(program))} ${hash(around)} ${sizes}`;
}

/** Sizes up to twice as large are alike. */
const sizeClass = (size: number): number => (size <= 1 ? size : 2 ** Math.ceil(Math.log2(size)));

/** FNV-1a over UTF-16 with two offsets: 64 bits in 16 digits. Two programs with one hash could share a slower backend. */
function hash(text: string): string {
  let [a, b] = [0x811c9dc5, 0x9747b28c];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x85ebca6b) ^ (b >>> 13);
  }
  return [a, b].map(half => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Null where nothing is known, or it is too old. A store that fails knows nothing. */
export async function recall(store: TuningStore, key: string, today: string): Promise<Remembered | null> {
  const found = new Map(entriesOf(await readFrom(store))).get(key);
  if (!isRemembered(found)) return null;
  return Date.parse(today) - Date.parse(found.date) <= lasting * 24 * 3_600_000 ? found : null;
}

/** It is only a matter of speed: what cannot be kept is found out again. */
export async function remember(store: TuningStore, key: string, what: Remembered): Promise<void> {
  const others = entriesOf(await readFrom(store)).filter(([name]) => name !== key);
  const kept = [...others.slice(1 - most), [key, what] as const];
  try {
    await store.write(`${JSON.stringify({ format, choices: Object.fromEntries(kept) }, null, 1)}\n`);
  } catch {
    // No folder, no room, not allowed.
  }
}

async function readFrom(store: TuningStore): Promise<string | null> {
  try {
    return await store.read();
  } catch {
    return null;
  }
}

/** The newest last; none where the text cannot be read. */
function entriesOf(text: string | null): readonly (readonly [key: string, what: unknown])[] {
  try {
    const content = JSON.parse(text ?? "null");
    return content?.format === format ? Object.entries(content.choices ?? {}) : [];
  } catch {
    return [];
  }
}

function isRemembered(value: unknown): value is Remembered {
  if (typeof value !== "object" || value === null) return false;
  const { backend, detail, date, times, missing } = value as Partial<Remembered>;
  return (
    typeof backend === "string" &&
    typeof detail === "string" &&
    !Number.isNaN(Date.parse(String(date))) &&
    Object.values(times ?? {}).every(Number.isFinite) &&
    Array.isArray(missing)
  );
}
