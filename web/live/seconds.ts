import type { ReactiveController, ReactiveControllerHost } from "lit";

/** Renders its element each second, while it is told to: seconds that are shown run. */
export class Seconds implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isWanted = false;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  run(isWanted: boolean): void {
    if (this.#isWanted === isWanted) return;
    this.#isWanted = isWanted;
    this.hostDisconnected();
    if (isWanted) this.hostConnected();
  }

  hostConnected(): void {
    if (this.#isWanted) this.#timer ??= setInterval(() => this.#host.requestUpdate(), 1_000);
  }

  hostDisconnected(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
