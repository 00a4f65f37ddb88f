// A host's process: serves the engine that its arguments name, `NAME THREADS`, by the lines of
// protocol.ts. python/serve.py does the same for engines in Python.

import { createInterface } from "node:readline";
import { LocalHost } from "./engine.ts";
import { loadEngine } from "./engines/index.ts";
import { mark, type Reply, type Request } from "./protocol.ts";

async function serve(name: string, threads: number): Promise<void> {
  const host = new LocalHost(await loadEngine(name, threads));
  for await (const line of createInterface({ input: process.stdin })) {
    const reply = await answer(host, JSON.parse(line)).then(
      value => ({ value: value ?? null }),
      (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
    );
    process.stdout.write(`${mark}${JSON.stringify(reply satisfies Reply)}\n`);
  }
}

async function answer(host: LocalHost, request: Request): Promise<unknown> {
  switch (request.do) {
    case "probe":
      return host.probe();
    case "open":
      return host.open(request.case, request.file);
    case "time":
      return host.time(request.budget);
    case "close":
      return host.close();
  }
}

const [name = "", threads = "1"] = process.argv.slice(2);
await serve(name, Number(threads));
