// Which browser to start: the one that FROND_BROWSER names, else the first of Chromium, Chrome and Edge that is on the
// PATH or where installers put it. Looks at names only; starts nothing.

import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import { posix, win32 } from "node:path";

/** What the search depends on; tests make their own. */
export interface Machine {
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Whether there is a program. */
  isProgram(path: string): boolean;
}

export type Found =
  | { readonly path: string }
  /** `wanted`: what FROND_BROWSER says, if it does. `looked`: where it was looked for. */
  | { readonly path: null; readonly wanted: string | null; readonly looked: readonly string[] };

export const machineHere = (): Machine => ({
  platform: process.platform,
  env: process.env,
  home: homedir(),
  isProgram,
});

/**
 * In the order of preference. `chromium-browser` comes late: on some systems it is only a note that there is none; what
 * snap installs later still: it cannot see all files.
 */
const names: readonly string[] = [
  "chromium",
  "google-chrome-stable",
  "google-chrome",
  "chrome",
  "microsoft-edge-stable",
  "microsoft-edge",
  "msedge",
  "chromium-browser",
];

const windowsPrograms: readonly string[] = [
  "Google\\Chrome\\Application\\chrome.exe",
  "Chromium\\Application\\chrome.exe",
  "Microsoft\\Edge\\Application\\msedge.exe",
];

const macPrograms: readonly string[] = ["Google Chrome", "Chromium", "Microsoft Edge"].map(
  name => `Applications/${name}.app/Contents/MacOS/${name}`,
);

/** Folders of Linux and BSD that may be missing from a service's PATH. */
const usualFolders: readonly string[] = ["/usr/bin", "/usr/local/bin", "/opt/google/chrome", "/snap/bin"];

export function findBrowser(machine: Machine): Found {
  const { env, platform } = machine;
  const wanted = env.FROND_BROWSER ?? "";
  if (wanted !== "") {
    const paths = isPath(wanted) ? [wanted] : onPath(machine, [wanted]);
    const path = paths.find(machine.isProgram);
    return path === undefined ? { path: null, wanted, looked: paths } : { path };
  }
  const usual = usualPlaces(machine);
  const path = [...onPath(machine, names), ...usual].find(machine.isProgram);
  if (path !== undefined) return { path };
  const folders = platform === "win32" || platform === "darwin" ? usual : usualFolders;
  return { path: null, wanted: null, looked: ["PATH", ...folders] };
}

const isPath = (name: string): boolean => /[\\/]/.test(name);

/** Every name in every folder of the PATH, the names in order. */
function onPath({ env, platform }: Machine, wanted: readonly string[]): readonly string[] {
  const windows = platform === "win32";
  const { join, delimiter } = windows ? win32 : posix;
  const path = env.PATH ?? env.Path ?? "";
  const folders = path.split(delimiter).filter(folder => folder !== "");
  const files = wanted.map(name => (windows && !name.endsWith(".exe") ? `${name}.exe` : name));
  return files.flatMap(name => folders.map(folder => join(folder, name)));
}

function usualPlaces({ env, platform, home }: Machine): readonly string[] {
  if (platform === "win32") {
    const roots = [env.PROGRAMFILES, env["PROGRAMFILES(X86)"], env.LOCALAPPDATA];
    return windowsPrograms.flatMap(program =>
      roots.flatMap(root => (root === undefined ? [] : [win32.join(root, program)])),
    );
  }
  if (platform === "darwin") {
    return macPrograms.flatMap(program => [`/${program}`, posix.join(home, program)]);
  }
  return usualFolders.flatMap(folder => names.map(name => posix.join(folder, name)));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
