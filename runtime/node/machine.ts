// What of this machine decides how fast backends are: processor, engine, Frond. No name of a host or a user.

import { arch, cpus } from "node:os";
import { version } from "./version.ts";

export function machine(): string {
  const all = cpus();
  const processor = `${all.length} x ${all[0]?.model.trim() ?? "unknown"}, ${arch()}`;
  return `frond ${version()}, v8 ${process.versions.v8}, ${processor}`;
}
