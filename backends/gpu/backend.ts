// A backend on devices of one kind, of which there is one at a time for all that a page or process does.

import type { Availability, Backend } from "../api.ts";
import { unavailable } from "../misuse.ts";
import type { Device, Devices } from "./device.ts";
import { compileOn } from "./executable.ts";

interface Opened extends Device {
  /** What it is, for people. */
  readonly detail: string;
}

type Opening = Promise<Opened | Extract<Availability, { available: false }>>;

/** @param openDevice a new one, or why there is none. */
export function gpuBackend(name: string, doc: string, openDevice: () => Opening): Backend {
  let opening: Opening | null = null;
  /** The device at hand; a new one where that does not work any more, or opening it has failed. */
  const open = async (): Opening => {
    const before = opening;
    const device = await before?.catch(() => null);
    const works = device != null && !("available" in device) && device.lost === null;
    // Of several that find it lost, one opens another.
    if (!works && opening === before) opening = openDevice();
    return opening!;
  };
  const devices: Devices = {
    backend: name,
    async open() {
      const device = await open();
      if ("available" in device) throw unavailable(name, device);
      return device;
    },
  };
  return {
    name,
    doc,
    async probe() {
      const device = await open();
      return "available" in device ? device : { available: true, detail: device.detail };
    },
    compile: (program, { unroll = 1 } = {}) => compileOn(devices, program, unroll),
  };
}
