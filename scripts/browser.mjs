// Makes sure that there is a browser for the backends webgl and webgpu, where one is asked for: finds it, else installs
// Debian's Chromium where that can be done (as root, with apt-get). Needs dist/. Run directly, or by other scripts.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { program, root } from "./process.mjs";

/** False where there is none and none could be installed, having said so. */
export async function ensureBrowser() {
  const { findBrowser, machineHere } = await import(
    pathToFileURL(join(root, "dist", "backends", "browser", "find.js")).href
  );
  if (findBrowser(machineHere()).path !== null) return true;
  const hint = "install Chromium, Chrome or Edge, or name one by FROND_BROWSER";
  if (process.platform !== "linux" || process.getuid() !== 0 || !existsSync("/usr/bin/apt-get")) {
    console.log(`frond: there is no browser for webgl; ${hint}`);
    return false;
  }
  console.log("frond: installing Chromium (apt-get install chromium) ...");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  program("apt-get", ["update"], { quiet: true, env });
  const { ok, output } = program("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], {
    quiet: true,
    env,
  });
  if (ok && findBrowser(machineHere()).path !== null) return true;
  console.log(`frond: Chromium could not be installed; ${hint}\n${output.split("\n").slice(-3).join("\n")}`);
  return false;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href && !(await ensureBrowser())) {
  process.exitCode = 1;
}
