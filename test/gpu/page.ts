// A page of a headless browser that has loaded a device of the gpu lowering, for tests to run functions in: they are sent as
// text, so they see nothing of the test but their argument.

import type { Browser, Page } from "playwright-core";
import { launch } from "../../backends/browser/chromium.ts";
import { pageFiles } from "../../backends/browser/files.ts";
import { build } from "../browser/harness.ts";

/** What a page has of a device under a name of `window`. */
export interface InPage<Device, Options = undefined> {
  /** Throws where there is none. */
  open(options?: Options): Promise<Device>;
  /** One for all who ask. */
  same(): Promise<Device>;
  readonly tf: typeof import("@tensorflow/tfjs-core");
  /** What a function, or the promise that it returns, is refused with. */
  refusal(action: () => unknown): Promise<string>;
}

export interface Loaded {
  /** The name in `window`. */
  readonly name: string;
  /** The device's class, and the file below dist/backends that has it. */
  readonly device: string;
  readonly file: string;
  /** tfjs's package for it: `tfBackend` in the page. */
  readonly tfBackend: string;
  readonly webgpu: boolean;
}

const scriptOf = ({ name, device, file, tfBackend }: Loaded): string => `
import * as tf from "@tensorflow/tfjs-core";
import * as tfBackend from "${tfBackend}";
import { ${device} } from "./dist/backends/${file}";
const open = async options => {
  const device = await ${device}.open(options);
  if ("available" in device) throw new Error(device.reason);
  return device;
};
const refusal = async action => {
  try {
    await action();
    return "nothing was refused";
  } catch (error) {
    return error.name + ": " + error.message;
  }
};
let kept = null;
const same = () => (kept ??= open());
window.${name} = { open, same, tf, tfBackend, refusal };
`;

export interface OpenPage {
  readonly browser: Browser;
  readonly page: Page;
  /** What the page wrote to its console as a warning or error. */
  readonly complaints: readonly string[];
  /** The page as it was when nobody had used it. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function openPageWith(loaded: Loaded): Promise<OpenPage> {
  build();
  const files = pageFiles()!;
  const { browser } = await launch(loaded.webgpu ? { webgpu: true } : {});
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("console", message => {
    if (["warning", "error"].includes(message.type())) complaints.push(message.text());
  });
  const map = JSON.stringify({ imports: files.imports });
  const html = `<!doctype html><link rel="icon" href="data:,"><script type="importmap">${map}</script>
<script type="module">${scriptOf(loaded)}</script>`;
  // Nothing is served: the browser asks the test for everything.
  await page.route("**/*", async route => {
    const path = new URL(route.request().url()).pathname.slice(1);
    const body = path === "" ? html : files.read(path);
    // Else a page has no memory that threads share.
    const headers = {
      "Cross-Origin-Opener-Policy": "same-origin",
      "Cross-Origin-Embedder-Policy": "require-corp",
    };
    const contentType = path === "" ? "text/html" : "text/javascript";
    await route.fulfill(body === null ? { status: 404 } : { status: 200, headers, contentType, body });
  });
  const restart = async (): Promise<void> => {
    await page.goto("http://localhost/");
    await page.waitForFunction(name => name in window, loaded.name);
  };
  await restart();
  return { browser, page, complaints, restart, close: () => browser.close() };
}
