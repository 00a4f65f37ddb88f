// Starts a browser by way of playwright-core, which is loaded here and only when one is wanted. The browser does not
// keep the process alive, and does not outlive it.

import type { Browser } from "playwright-core";
import { gist, notFound, notInstalled, notStarting } from "./faults.ts";
import { findBrowser, type Machine, machineHere } from "./find.ts";
import { temporaryFolder, withoutHolding } from "./process.ts";

export interface BrowserOptions {
  /** WebGPU too, on the processor where there is no graphics card. */
  readonly webgpu?: boolean;
}

/** What tests replace. */
export interface LaunchParts {
  readonly machine?: Machine;
  readonly load?: () => Promise<Pick<typeof import("playwright-core"), "chromium">>;
}

export interface Launched {
  readonly browser: Browser;
  /** Of its first process; null where it is not known. */
  readonly pid: number | null;
}

const flags: readonly string[] = [
  // WebGL 2 with textures of floats without a graphics card too.
  "--ignore-gpu-blocklist",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  // Nobody looks at the page, and it is to run as fast as if somebody did.
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
];

const webgpuFlags: readonly string[] = [
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--enable-unsafe-swiftshader",
];

const usual = {
  /** Milliseconds; a cold start on a slow disk may take some seconds. */
  timeout: 60_000,
  /** The process's signals are for process.ts. */
  handleSIGINT: false,
  handleSIGTERM: false,
  handleSIGHUP: false,
} as const;

/** Throws a FrondError that says what is missing. */
export async function launch(options: BrowserOptions = {}, parts: LaunchParts = {}): Promise<Launched> {
  const { machine = machineHere(), load = () => import("playwright-core") } = parts;
  const { chromium } = await load().catch(error => {
    throw isMissing(error) ? notInstalled() : error;
  });
  const found = findBrowser(machine);
  const path = found.path ?? downloaded(chromium, machine);
  if (path === null) throw notFound(found as Extract<typeof found, { path: null }>);
  const files = temporaryFolder();
  const args = [...flags, ...(options.webgpu === true ? webgpuFlags : [])];
  const start = (chromiumSandbox: boolean): Promise<Browser> =>
    chromium.launch({
      ...usual,
      executablePath: path,
      args,
      chromiumSandbox,
      env: environment(machine, files.path),
    });
  try {
    const { started, children } = await withoutHolding(path, () => startWithSandbox(machine, start));
    files.removeLast();
    started.on("disconnected", () => files.remove());
    return { browser: started, pid: children.at(-1)?.pid ?? null };
  } catch (error) {
    files.remove();
    throw notStarting(path, complaint(error));
  }
}

/** A browser that is killed leaves a folder behind for its socket; its address must not be long. */
function environment({ env, platform }: Machine, folder: string): Record<string, string | undefined> {
  const longest = 50;
  return platform === "win32" || folder.length > longest ? { ...env } : { ...env, TMPDIR: folder };
}

/**
 * Chromium has no sandbox for root, and none where the system keeps namespaces from it, as containers do. What the page
 * runs is Frond's own, from this machine.
 */
async function startWithSandbox(
  { platform }: Machine,
  start: (sandbox: boolean) => Promise<Browser>,
): Promise<Browser> {
  if (platform !== "linux") return start(true);
  if (process.getuid?.() === 0) return start(false);
  return start(true).catch(error => {
    if (/No usable sandbox|sandboxing failed/i.test(String(error))) return start(false);
    throw error;
  });
}

/** What `playwright install chromium` has brought. */
function downloaded(
  chromium: Pick<typeof import("playwright-core"), "chromium">["chromium"],
  { env, isProgram }: Machine,
): string | null {
  if ((env.FROND_BROWSER ?? "") !== "") return null;
  // Throws where playwright-core has no browser for the system.
  try {
    const path = chromium.executablePath();
    return isProgram(path) ? path : null;
  } catch {
    return null;
  }
}

/** What the browser itself said went wrong, else what playwright-core says. */
function complaint(error: unknown): string {
  const lines = [...String(error).matchAll(/\[err\] (.+)/g)].map(([, line]) => line!.trim());
  const told = lines.find(line => /error|fatal|fail|cannot/i.test(line)) ?? gist(error);
  return told.endsWith("has been closed") ? "it has ended at once" : told;
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && /ERR_MODULE_NOT_FOUND|Cannot find (package|module)/.test(`${(error as NodeJS.ErrnoException).code} ${error.message}`); // biome-ignore format: one test
