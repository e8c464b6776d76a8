import { type Agent, startAgent } from "../../agent/agent.ts";
import { simulatedPower } from "../../agent/fixtures/simulated-power.ts";
import { createLog } from "../../agent/log.ts";
import { HostReader } from "../../agent/machine/read-host.ts";
import type { JoinedAgent } from "./furnish.ts";
import type { DemoMachine } from "./machines.ts";

/** An agent on a simulated machine: it runs while that is up, and takes it down and nothing else. */
export class OwnAgent {
  readonly #joined: JoinedAgent;
  readonly #machine: DemoMachine;
  #agent: Agent | undefined;
  /** It starts and ends as often as its machine does, one after the other. */
  #turn = Promise.resolve();

  constructor(joined: JoinedAgent, machine: DemoMachine) {
    this.#joined = joined;
    this.#machine = machine;
  }

  start(): void {
    this.#machine.onPower((up) => {
      this.#turn = this.#turn.then(() => (up ? this.#run() : this.#end()));
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#end();
  }

  async #run(): Promise<void> {
    const { machine, goDown } = this.#machine;
    const { can: actions = [], people: users = 0 } = machine.own ?? {};
    this.#agent ??= await startAgent({
      ...this.#joined,
      log: createLog({ level: "error", stream: process.stderr }),
      power: simulatedPower({ macs: [machine.mac], actions, users, goDown }),
      host: new HostReader({
        read: async () => ({
          cards: [{ name: "lan", mac: machine.mac, kind: "ethernet", link: true, armed: true, secureOn: null }],
          machine: { container: null, virtual: false, fastStartup: machine.os === "windows" ? false : null },
        }),
      }),
      listens: false, // the one that stays up hears for all
    });
  }

  async #end(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.close();
  }
}
