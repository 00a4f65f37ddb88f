// Hosts whose engines run elsewhere: some share a process or a page, so that what is compared runs under the same
// conditions. The place is started when first asked for something, and again after it has died: what kills an engine
// (memory, mostly) costs the rows of that case and place only.

import type { Case } from "./cases.ts";
import type { Host, Probe } from "./engine.ts";
import type { Cost } from "./meter.ts";
import type { Command, Reply, Request } from "./protocol.ts";

/** Longer than that nobody waits for an answer, in seconds. */
export const patience = 600;

/** To a process or a page. */
export interface Line {
  /** Whether there is one now. */
  readonly isOpen: boolean;
  /** Asked again only after the answer. Never rejects. */
  ask(request: Request): Promise<Reply>;
  /** The next request starts it anew. */
  end(): void;
}

/** Engines in one place; it ends when the last of their hosts does. */
export class Family {
  readonly #line: Line;
  #members = 0;

  constructor(line: Line) {
    this.#line = line;
  }

  join(engine: string): Host {
    this.#members += 1;
    return new RemoteHost(this.#line, engine, () => {
      this.#members -= 1;
      if (this.#members === 0) this.#line.end();
    });
  }
}

class RemoteHost implements Host {
  readonly #line: Line;
  readonly #engine: string;
  #leave: (() => void) | null;

  constructor(line: Line, engine: string, leave: () => void) {
    this.#line = line;
    this.#engine = engine;
    this.#leave = leave;
  }

  probe(): Promise<Probe> {
    return this.#ask({ do: "probe" });
  }

  open(one: Case, file: string): Promise<readonly number[]> {
    return this.#ask({ do: "open", case: one, file });
  }

  time(budget: number): Promise<readonly number[]> {
    return this.#ask({ do: "time", budget });
  }

  cost(budget: number): Promise<Cost | null> {
    return this.#ask({ do: "cost", budget });
  }

  async close(): Promise<void> {
    if (this.#line.isOpen) await this.#ask({ do: "close" });
  }

  end(): void {
    this.#leave?.();
    this.#leave = null;
  }

  async #ask<T>(command: Command): Promise<T> {
    const reply = await this.#line.ask({ engine: this.#engine, ...command });
    if ("error" in reply) throw new Error(reply.error);
    return reply.value as T;
  }
}
