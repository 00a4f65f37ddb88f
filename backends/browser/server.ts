// Serves one page on this machine and talks with it: an address that nobody can guess, Frond's modules, and a WebSocket.
// Answering a long poll took 2 ms a message where the socket takes 0.3. Knows nothing of browsers nor of messages.

import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { PageFiles } from "./files.ts";

export interface PageEvents {
  onMessage(message: ArrayBuffer): void;
  /** The page has closed the line, or has gone. */
  onClose(): void;
}

/** Cross-origin isolation: without it a page has no shared memory, and so no threads. */
const headers = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Cache-Control": "no-store",
};

export class PageServer {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  #socket: WebSocket | null = null;

  private constructor(server: Server, address: string, events: PageEvents) {
    this.#server = server;
    this.address = address;
    this.#sockets = new WebSocketServer({
      server,
      path: `${new URL(address).pathname}socket`,
      perMessageDeflate: false,
      maxPayload: 0,
      // Another page, whatever it knows, is none of ours.
      verifyClient: ({ origin }: { origin: string }) => origin === new URL(address).origin,
    });
    this.#sockets.on("connection", socket => this.#accept(socket, events));
  }

  static async open(files: PageFiles, events: PageEvents): Promise<PageServer> {
    const token = randomBytes(24).toString("base64url");
    const server = createServer((request, response) => {
      const prefix = `/${token}/`;
      const path = request.url?.startsWith(prefix) ? request.url.slice(prefix.length) : null;
      const content = path === "" ? html(files) : path === null ? null : files.read(path);
      if (content === null) return void response.writeHead(404, headers).end();
      const type = path === "" ? "text/html" : "text/javascript";
      response.writeHead(200, { ...headers, "Content-Type": `${type}; charset=utf-8` }).end(content);
    });
    // What waits for the page keeps the process alive; the line itself does not.
    server.on("connection", (socket: Socket) => socket.unref().setNoDelay(true));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen(0, "127.0.0.1", resolve);
    });
    server.unref();
    const { port } = server.address() as AddressInfo;
    return new PageServer(server, `http://127.0.0.1:${port}/${token}/`, events);
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    this.#socket?.send(message);
  }

  close(): void {
    this.#socket?.terminate();
    this.#sockets.close();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The first one only: there is one page. */
  #accept(socket: WebSocket, { onMessage, onClose }: PageEvents): void {
    if (this.#socket !== null) {
      socket.terminate();
      return;
    }
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.on("message", data => onMessage(data as ArrayBuffer));
    socket.on("error", () => socket.terminate());
    socket.on("close", onClose);
  }
}

/** Imported, not a script's `src`: so a module that is missing is an error of the page's, which Node is told. */
const html = ({ imports }: PageFiles): string => `<!doctype html>
<meta charset="utf-8">
<title>Frond</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">
  (await import("./dist/backends/browser/page.js")).serve();
</script>
`;
