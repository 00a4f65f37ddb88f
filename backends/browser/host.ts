// The process's browser: started on first use with one page, shared by all executables, started again after it was
// lost. It keeps the process alive only while something waits for it, and ends with the process however that ends
// (when the process is killed outright, the browser notices that its pipe is closed).

import { FrondError } from "../../compiler/diagnostics/error.ts";
import { type BrowserOptions, type Launched, type LaunchParts, launch } from "./chromium.ts";
import { Connection } from "./connection.ts";
import { BrowserEnded, gist, notLoading } from "./faults.ts";
import { type PageFiles, pageFiles } from "./files.ts";
import { exitOnSignals, hold } from "./process.ts";
import { PageServer } from "./server.ts";

/** A page that takes commands. */
export interface OpenPage {
  readonly connection: Connection;
  /** `chromium 156.0.8078.108`, for people. */
  readonly browser: string;
  /** Of the browser's first process; null where it is not known. */
  readonly pid: number | null;
}

/** Where pages come from; tests have their own. */
export interface Host {
  /** The page at hand, or a new one where there is none or it is lost. */
  open(): Promise<OpenPage>;
}

/** What tests replace. */
export interface HostParts extends LaunchParts {
  readonly files?: () => PageFiles | null;
}

export class BrowserHost implements Host {
  readonly #options: BrowserOptions;
  readonly #parts: HostParts;
  #page: Promise<LivePage> | null = null;

  constructor(options: BrowserOptions = {}, parts: HostParts = {}) {
    this.#options = options;
    this.#parts = parts;
  }

  open(): Promise<LivePage> {
    this.#page = this.#living(this.#page);
    return this.#page;
  }

  /** Ends the browser, if there is one. What waits is rejected; the next use starts it again. */
  async close(): Promise<void> {
    // It stays known until it is lost: nobody is to find another one while states are still in this one.
    const opened = await this.#page?.catch(() => null);
    await opened?.close();
  }

  async #living(page: Promise<LivePage> | null): Promise<LivePage> {
    const opened = await page?.catch(() => null);
    if (opened && opened.connection.lost === null) return opened;
    return LivePage.open(this.#options, this.#parts);
  }
}

/** Milliseconds until a page must have said that it is ready. */
const patience = 30_000;
/** What has ended a page may be known some time after its line is cut. */
const grace = 500;

const browserHelp = ["another browser may do: set FROND_BROWSER to its program"];

class LivePage implements OpenPage {
  readonly connection: Connection;
  readonly #server: PageServer;
  #launched: Launched | null = null;
  #ready = false;
  readonly #forgetSignals = exitOnSignals();

  private constructor(server: PageServer) {
    this.#server = server;
    let release = () => {};
    this.connection = new Connection(server, busy => {
      if (busy) release = hold();
      else release();
    });
  }

  static async open(options: BrowserOptions, parts: HostParts): Promise<LivePage> {
    const files = (parts.files ?? pageFiles)();
    if (files === null) {
      throw notLoading("Frond's compiled modules, dist/, are not there", ["build them: npm run build"]);
    }
    const page = await LivePage.#serve(files);
    const release = hold();
    try {
      await page.#start(options, parts);
      return page;
    } catch (error) {
      await page.close();
      // A browser that ends while it is spoken to gives errors of playwright-core's own.
      throw error instanceof FrondError ? error : notLoading(gist(error), browserHelp);
    } finally {
      release();
    }
  }

  static async #serve(files: PageFiles): Promise<LivePage> {
    const later: { page: LivePage | null } = { page: null };
    const server = await PageServer.open(files, {
      onMessage: message => later.page!.connection.receive(message),
      onClose: () => void setTimeout(() => later.page!.#end("its page is gone"), grace).unref(),
    });
    later.page = new LivePage(server);
    return later.page;
  }

  async #start(options: BrowserOptions, parts: LaunchParts): Promise<void> {
    this.#launched = await launch(options, parts);
    const { browser } = this.#launched;
    browser.on("disconnected", () => this.#end("its process has ended"));
    const page = await browser.newPage();
    page.on("crash", () => this.#end("its page has crashed, as pages do that run out of memory"));
    page.on("pageerror", error => {
      // What nothing waits for hurts nobody.
      if (!this.#ready) this.#end(gist(error));
      else if (this.connection.waits) this.#end(`an error in its page: ${gist(error)}`);
    });
    const late = setTimeout(() => this.#end(`no answer for ${patience / 1000} s`), patience);
    try {
      page.goto(this.#server.address).catch(error => this.#end(gist(error)));
      await this.connection.ready;
      this.#ready = true;
    } finally {
      clearTimeout(late);
    }
  }

  get browser(): string {
    return `chromium ${this.#launched?.browser.version() ?? ""}`;
  }

  get pid(): number | null {
    return this.#launched?.pid ?? null;
  }

  async close(): Promise<void> {
    const release = hold();
    this.#end("it was closed");
    await this.#launched?.browser.close().catch(() => {});
    release();
  }

  /** The first reason counts. */
  #end(reason: string): void {
    if (this.connection.lost !== null) return;
    this.connection.lose(this.#ready ? new BrowserEnded(reason) : notLoading(reason, browserHelp));
    this.#forgetSignals();
    this.#server.close();
    void this.#launched?.browser.close().catch(() => {});
  }
}
