// The page's server: what it gives and to whom.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { PageFiles } from "../../backends/browser/files.ts";
import { pageFiles } from "../../backends/browser/files.ts";
import { PageServer } from "../../backends/browser/server.ts";
import { build } from "./harness.ts";

let files: PageFiles;
let server: PageServer;
const messages: unknown[] = [];
let closed: () => void = () => {};
const isClosed = new Promise<void>(resolve => {
  closed = resolve;
});

beforeAll(async () => {
  build();
  files = pageFiles()!;
  server = await PageServer.open(files, {
    onMessage: message => messages.push([...new Uint8Array(message)]),
    onClose: () => closed(),
  });
});
afterAll(() => server.close());

const get = (path: string): Promise<Response> => fetch(new URL(path, server.address));

test("the page, isolated, and its modules", async () => {
  const page = await get("");
  expect(page.headers.get("cross-origin-opener-policy")).toBe("same-origin");
  expect(page.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
  const [, map] = /<script type="importmap">(.*?)<\/script>/.exec(await page.text())!;
  const imports = Object.entries(JSON.parse(map!).imports as Record<string, string>);
  expect(imports.map(([name]) => name)).toEqual(
    expect.arrayContaining(["devalue", "fastest-levenshtein", "seedrandom", "@tensorflow/tfjs-core"]),
  );
  for (const [name, address] of [...imports, ["page", "./dist/backends/browser/page.js"] as const]) {
    const module = await get(address);
    expect([name, module.status, module.headers.get("content-type")]).toEqual([name, 200, "text/javascript; charset=utf-8"]); // biome-ignore format: one line
    expect(await module.text()).toContain("export");
  }
});

test("nothing else", async () => {
  for (const path of ["dist/.stamp", "dist/", "package.json", "dist/none.js", "packages/vitest/index.js", "/", "/x/"]) {
    expect([path, (await get(path)).status]).toEqual([path, 404]);
  }
  for (const address of ["dist/../scripts/build.mjs", "dist//etc/x.js", "packages/ws/../devalue/src/index.js", "packages/devalue/../ws/index.js"]) {
    expect([address, files.read(address)]).toEqual([address, null]);
  }
}); // biome-ignore format: lists

describe("the socket", () => {
  const { promise, resolve } = (() => {
    let resolve: (message: Buffer) => void = () => {};
    const promise = new Promise<Buffer>(done => {
      resolve = done;
    });
    return { promise, resolve };
  })();

  const connect = (origin: string, path = "socket"): Promise<WebSocket | null> =>
    new Promise(done => {
      const socket = new WebSocket(new URL(path, server.address.replace("http", "ws")), { origin });
      socket.on("message", data => resolve(data as Buffer));
      socket.on("open", () => done(socket));
      socket.on("error", () => done(null));
    });

  test("is for the page alone, and for one", async () => {
    const { origin } = new URL(server.address);
    expect(await connect("http://elsewhere.test")).toBe(null);
    expect(await connect(origin, "/socket")).toBe(null);
    const socket = (await connect(origin))!;
    const second = (await connect(origin))!;
    await new Promise(done => second.on("close", done));
    socket.send(Uint8Array.of(1, 2, 3));
    server.send(Uint8Array.of(4, 5));
    expect([...(await promise)]).toEqual([4, 5]);
    while (messages.length === 0) await new Promise(done => setTimeout(done, 5));
    expect(messages).toEqual([[1, 2, 3]]);
    socket.close();
    await isClosed;
  });
});
