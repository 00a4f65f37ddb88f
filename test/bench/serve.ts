// A process of engines: serves those that it is asked for, with as many threads as its argument says, by the lines of
// protocol.ts. python/serve.py does the same for an engine in Python.

import { createInterface } from "node:readline";
import { loadEngine } from "./engines/index.ts";
import { mark } from "./protocol.ts";
import { Served } from "./served.ts";
import { inNode } from "./work.ts";

const threads = Number(process.argv[2] ?? 1);
const served = new Served(name => loadEngine(name, threads), inNode);
for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${mark}${JSON.stringify(await served.answer(JSON.parse(line)))}\n`);
