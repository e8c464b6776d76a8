import type { ReactiveControllerHost } from "lit";
import { LiveStore } from "./live-store.ts";
import { StoreController } from "./store-controller.ts";

/** The one store of the page. The shell starts it once somebody is logged in. */
export const live = new LiveStore({ onDoubt: doubtSession });

/** Renders its element anew when live data changes. */
export class Live extends StoreController<LiveStore> {
  constructor(host: ReactiveControllerHost, store: LiveStore = live) {
    super(host, store);
  }
}

function doubtSession(): void {
  globalThis.dispatchEvent(new Event("session-doubtful"));
}
