// Handles for what lives in the page, and a safety net: what is dropped without being disposed of is freed there when
// it is collected here.

import type { OpenPage } from "./host.ts";
import type { Handle } from "./protocol.ts";

/** Something in a page. */
export interface Held {
  readonly page: OpenPage;
  readonly handle: Handle;
}

let handles = 0;

export function newHandle(): Handle {
  handles += 1;
  return handles;
}

const dropped = new FinalizationRegistry<Held>(free);

/** From now on, `owner` answers for what is held. */
export function own(owner: object, held: Held): void {
  dropped.register(owner, held, owner);
}

/** Frees what the owner, which answers for nothing any more, held last. */
export function disown(owner: object, held: Held | null): void {
  dropped.unregister(owner);
  if (held !== null) free(held);
}

function free({ page, handle }: Held): void {
  page.connection.free([handle]);
}
