// Any of Frond's backends, run in the page of a headless browser and used from Node as if it were here.

import { FrondError } from "../../compiler/diagnostics/error.ts";
import type { Availability, Backend } from "../api.ts";
import { RemoteExecutable } from "./executable.ts";
import { BrowserHost, type Host } from "./host.ts";
import type { Owner } from "./state.ts";

export { BrowserEnded } from "./faults.ts";

export interface InBrowserOptions {
  /** A browser of its own that has WebGPU without a graphics card. */
  readonly webgpu?: boolean;
  /** Seconds, at the least, between copies of a state that is being trained, for the case that the browser is lost; 5. */
  readonly copyEvery?: number;
  /** Where the page comes from, if not from the process's browser. */
  readonly host?: Host;
}

/** The process's browsers, each started when it is first used. */
const hosts = { usual: new BrowserHost(), webgpu: new BrowserHost({ webgpu: true }) } as const;

/** The backend that has this name in a page. */
export function inBrowser(name: string, options: InBrowserOptions = {}): Backend {
  const { webgpu = false, copyEvery = 5, host = webgpu ? hosts.webgpu : hosts.usual } = options;
  const owner: Owner = { host, backend: name, copyEvery: 1000 * copyEvery };
  return {
    name,
    doc: `\`${name}\` in the page of a headless browser`,
    probe: () => probe(owner),
    compile: (program, options = {}) => RemoteExecutable.compile(owner, program, options),
  };
}

/** Ends the process's browsers at once; they end with the process anyway. What states held is lost as if they crashed. */
export async function closeBrowsers(): Promise<void> {
  await Promise.all(Object.values(hosts).map(host => host.close()));
}

/** Starts the browser: whether a page has what the backend needs, only a page can say. */
async function probe({ host, backend }: Owner): Promise<Availability> {
  try {
    const { connection, browser } = await host.open();
    const availability = await connection.request("probe", { backend }, backend);
    if (!availability.available) return availability;
    return { available: true, detail: `${availability.detail}, in ${browser}` };
  } catch (error) {
    if (!(error instanceof FrondError)) throw error;
    const [diagnostic] = error.diagnostics;
    return { available: false, reason: diagnostic!.title, remedy: diagnostic!.help[0] ?? "" };
  }
}
