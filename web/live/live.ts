import type { ReactiveController, ReactiveControllerHost } from "lit";
import { LiveStore } from "./live-store.ts";

/** The one store of the page. The shell starts it once somebody is logged in. */
export const live = new LiveStore({ onDoubt: doubtSession });

/** Renders its element anew when live data changes, as long as the element is on the page. */
export class Live implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly store: LiveStore;

  constructor(host: ReactiveControllerHost, store: LiveStore = live) {
    this.#host = host;
    this.store = store;
    host.addController(this);
  }

  hostConnected(): void {
    this.store.addEventListener("change", this.#update);
  }

  hostDisconnected(): void {
    this.store.removeEventListener("change", this.#update);
  }

  readonly #update = (): void => this.#host.requestUpdate();
}

function doubtSession(): void {
  globalThis.dispatchEvent(new Event("session-doubtful"));
}
