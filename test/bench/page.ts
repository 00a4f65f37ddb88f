// The page's side of page-line.ts: engines in a page, called from Node. Packages come by the page's import map.

import { decode } from "../../backends/browser/codec.ts";
import type { Engine, Surroundings } from "./engine.ts";
import { frondEngine } from "./engines/frond.ts";
import { type Library, type Tf, tfjsEngine } from "./engines/tfjs.ts";
import { meter } from "./meter.ts";
import { workAddress } from "./protocol.ts";
import { Served } from "./served.ts";
import type { Work } from "./work.ts";

/** As engines/index.ts calls them. */
async function loadEngine(name: string): Promise<Engine> {
  const [, kind, backend = ""] = /^(frond|tfjs)-(.+)$/.exec(name) ?? [];
  if (kind === undefined) throw new Error(`no engine \`${name}\` in a page`);
  return kind === "frond" ? frondEngine(backend) : tfjsEngine(backend, libraryHere(backend));
}

/** Not Frond's: found among the peers, where they are installed. */
const layersName: string = "@tensorflow/tfjs-layers";

/** tfjs-layers on the tfjs that Frond has here. Two of them would share an engine anyway, and register twice what it has. */
const libraryHere = (backend: string): Library => ({
  async probe() {
    try {
      const { version_layers: version } = await import(layersName);
      return { available: true, detail: `@tensorflow/tfjs-layers ${version} on tfjs-backend-${backend}` };
    } catch {
      return { available: false, reason: "not installed (npm ci in test/bench/peers)" };
    }
  },
  async load() {
    const core = await import("@tensorflow/tfjs-core");
    await import(`@tensorflow/tfjs-backend-${backend}`);
    return { ...core, ...(await import(layersName)) } as unknown as Tf;
  },
});

const around: Surroundings = {
  detail: document.title,
  work: async () => decode(await (await fetch(workAddress)).arrayBuffer()) as Work,
  meter,
};

Object.assign(window, { bench: new Served(loadEngine, around) });
