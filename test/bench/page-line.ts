// The line to a page of a headless browser, in which engines on a graphics card run: Frond's backends as a user's page has
// them, and tfjs-layers beside them, on the same tfjs. The page loads the benchmark's compiled modules (page.ts).

import { existsSync, readFileSync } from "node:fs";
import { extname, join, resolve, sep } from "node:path";
import type { Browser, Page, Route } from "playwright-core";
import { type BrowserOptions, launch } from "../../backends/browser/chromium.ts";
import { encode } from "../../backends/browser/codec.ts";
import { type PageFiles, pageFiles } from "../../backends/browser/files.ts";
import { FrondError } from "../../compiler/diagnostics/error.ts";
import { layersModule } from "./engines/peer.ts";
import { type Reply, type Request, workAddress } from "./protocol.ts";
import { type Line, patience } from "./remote.ts";
import type { Served } from "./served.ts";
import { readWork } from "./work.ts";

/** What page.ts leaves in its window. */
type BenchWindow = Window & { readonly bench: Served };

interface Opened {
  readonly browser: Browser;
  readonly page: Page;
}

export class PageLine implements Line {
  readonly #options: BrowserOptions;
  readonly #modules: string;
  readonly #files: PageFiles | null = pageFiles();
  #opened: Promise<Opened> | null = null;
  /** Of the open case. */
  #work: Buffer | null = null;

  /** @param modules the folder that has the sources compiled: test/bench/page.js and all that it loads. */
  constructor(options: BrowserOptions, modules: string) {
    this.#options = options;
    this.#modules = modules;
  }

  get isOpen(): boolean {
    return this.#opened !== null;
  }

  end(): void {
    void this.#opened?.then(({ browser }) => browser.close()).catch(() => {});
    this.#opened = null;
  }

  async ask(request: Request): Promise<Reply> {
    // A browser that dies breaks off the call. It does not keep the process alive; the timer does.
    const timer = setTimeout(() => this.end(), 1000 * patience);
    try {
      if (request.do === "open") this.#work = Buffer.from(encode(readWork(request.file, request.case)));
      return await this.#answer(request);
    } catch (error) {
      const reply = { error: this.isOpen ? messageOf(error) : `gave no answer for ${patience} s` };
      this.end();
      return reply;
    } finally {
      clearTimeout(timer);
    }
  }

  async #answer(request: Request): Promise<Reply> {
    this.#opened ??= this.#open();
    const { page } = await this.#opened;
    return page.evaluate(given => (window as unknown as BenchWindow).bench.answer(given), request);
  }

  async #open(): Promise<Opened> {
    if (this.#files === null)
      throw new Error("Frond's compiled modules, dist/, are not there; npm run build");
    const { browser } = await launch(this.#options);
    try {
      return { browser, page: await this.#load(browser, this.#files.imports) };
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  async #load(browser: Browser, imports: PageFiles["imports"]): Promise<Page> {
    const page = await browser.newPage();
    const failed = new Promise<never>((_, reject) => page.on("pageerror", reject));
    // Later errors are those of what is asked for.
    failed.catch(() => {});
    const html = htmlFor(`chromium ${browser.version()}`, imports);
    // Nothing is served: the browser asks for everything here.
    await page.route("**/*", route => this.#give(route, html));
    await page.goto("http://localhost/");
    await Promise.race([page.waitForFunction(() => "bench" in window), failed]);
    return page;
  }

  #give(route: Route, html: string): Promise<void> {
    const path = new URL(route.request().url()).pathname.slice(1);
    const body = path === "" ? html : this.#read(path);
    if (body === null) return route.fulfill({ status: 404 });
    const contentType = path === "" ? "text/html" : "text/javascript";
    return route.fulfill({ status: 200, headers, contentType, body });
  }

  #read(path: string): Buffer | string | null {
    if (path === workAddress) return this.#work;
    if (path === layersAddress) return existsSync(layersModule) ? readFileSync(layersModule) : null;
    if (path.startsWith(modulesAddress)) return moduleIn(this.#modules, path.slice(modulesAddress.length));
    return this.#files?.read(path) ?? null;
  }
}

const modulesAddress = "modules/";
const layersAddress = "layers.js";

/** Cross-origin isolation: without it a page's clock is a coarse one. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Its title says for people what the page runs in. Imported: a module that is missing is an error of the page's then. */
function htmlFor(title: string, own: PageFiles["imports"]): string {
  const imports = { ...own, "@tensorflow/tfjs-layers": `./${layersAddress}` };
  return `<!doctype html><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">await import("./${modulesAddress}test/bench/page.js");</script>`;
}

function moduleIn(folder: string, path: string): Buffer | null {
  const file = resolve(folder, path);
  const isOurs = file.startsWith(join(folder, sep)) && extname(file) === ".js";
  return isOurs && existsSync(file) ? readFileSync(file) : null;
}

/** A browser that is missing is told in Frond's own words, with what helps; of others' errors the first line. */
function messageOf(error: unknown): string {
  if (error instanceof FrondError)
    return error.diagnostics.map(({ title, help }) => [title, ...help.slice(0, 1)].join("; ")).join("; ");
  const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  return first.replace(/^page\.\w+: /, "");
}
