import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Renders its element anew when a store changes, as long as the element is on the page. */
export class StoreController<Store extends EventTarget> implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly store: Store;

  constructor(host: ReactiveControllerHost, store: Store) {
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
