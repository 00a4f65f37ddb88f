// Running other programs from the repository's scripts, on every platform. Plain Node: nothing is installed yet.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Runs a script with this Node. `quiet` keeps what it prints; else it goes where ours goes. */
export function node(args, { quiet = false, env = {} } = {}) {
  return run(process.execPath, args, { quiet, env });
}

/** Runs npm: the one that started us where there is one, else the one on the path (`npm.cmd` on Windows). */
export function npm(args, options = {}) {
  const cli = process.env.npm_execpath ?? "";
  if (/npm-cli\.[cm]?js$/.test(cli)) return run(process.execPath, [cli, ...args], options);
  return run("npm", args, { ...options, shell: process.platform === "win32" });
}

/** Runs a program of the machine. */
export const program = (name, args, options = {}) => run(name, args, options);

/** Runs a program in the repository's root; the result's `output` is both streams, empty unless `quiet`. */
function run(program, args, { quiet = false, env = {}, shell = false }) {
  const result = spawnSync(program, args, {
    cwd: root,
    shell,
    encoding: "utf8",
    stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  const output = result.error
    ? `${program}: ${result.error.message}`
    : `${result.stdout ?? ""}${result.stderr ?? ""}`;
  return { ok: result.status === 0, status: result.status ?? 1, output: output.trimEnd() };
}

/** Ends the script with a message and a failing exit status. */
export function fail(message, details = "") {
  if (details !== "") console.error(details);
  console.error(`frond: ${message}`);
  process.exit(1);
}
