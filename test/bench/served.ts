// The engines of one process or page, each loaded when it is first asked for something. Runs in pages too.

import { type Engine, LocalHost, type Surroundings } from "./engine.ts";
import type { Reply, Request } from "./protocol.ts";

export class Served {
  readonly #load: (name: string) => Promise<Engine>;
  readonly #around: Surroundings;
  readonly #hosts = new Map<string, LocalHost>();

  constructor(load: (name: string) => Promise<Engine>, around: Surroundings) {
    this.#load = load;
    this.#around = around;
  }

  async answer(request: Request): Promise<Reply> {
    try {
      const host =
        this.#hosts.get(request.engine) ?? new LocalHost(await this.#load(request.engine), this.#around);
      this.#hosts.set(request.engine, host);
      return { value: (await carryOut(host, request)) ?? null };
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }
}

async function carryOut(host: LocalHost, request: Request): Promise<unknown> {
  switch (request.do) {
    case "probe":
      return host.probe();
    case "open":
      return host.open(request.case, request.file);
    case "time":
      return host.time(request.budget);
    case "cost":
      return host.cost(request.budget);
    case "close":
      return host.close();
  }
}
