import type { HttpMethod, MqttMethod, PowerMethodSecrets, SshMethod } from "#contracts/api/power-methods.ts";
import { PowerMethodSecrets as Secrets } from "#contracts/api/power-methods.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import type { Database } from "../kernel/database.ts";
import type { Link } from "../kernel/link.ts";
import type { Outbound } from "../kernel/outbound.ts";
import type { SealedSecrets } from "../kernel/sealed-secrets.ts";
import type { DirectoryDevice } from "../members/directory.ts";
import { PowerMethod } from "./power-method.entity.ts";
import { runOverSsh } from "./ssh.ts";

export interface PowerMethodRunnerOptions {
  readonly database: Database;
  readonly secrets: SealedSecrets;
  /** Checked: no loopback, link-local or metadata address, after redirects neither. */
  readonly outbound: Outbound;
  /** The broker where plugs are. */
  readonly link: Pick<Link, "outside">;
  /** Whether that is a broker that plugs can connect to: the embedded one carries the hub's own topics alone. */
  readonly hasPlugs: boolean;
  /** The host key that a machine showed first is the one from now on. */
  readonly pinHostKey: (device: DirectoryDevice, hostKey: string) => void;
}

/** A broker hands what it held up to nobody after so long: the machine may have been woken since. Seconds. */
const PLUG_ORDER_SECONDS = 30;

const NO_PLUGS =
  "The hub's own broker carries no topics of plugs; set MQTT_URL or HA_MQTT_URL to the broker where it is";

/** Powers machines off by the ways that were set for them, where no agent runs on them. */
export class PowerMethodRunner {
  readonly #options: PowerMethodRunnerOptions;

  constructor(options: PowerMethodRunnerOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the machine, its plug or whoever was called has taken it.
   *
   * @param signal nothing is begun any more once it is aborted; what was begun goes on to its end.
   * @throws Error with a sentence why not.
   */
  async run(device: DirectoryDevice, action: PowerOffAction, signal: AbortSignal): Promise<void> {
    const method = device.powerMethod;
    switch (method?.type) {
      case undefined:
        throw new Error("No other way of powering it off is set");
      case "ssh":
        return this.#ssh(device, method, action, signal);
      case "mqtt":
        return this.#mqtt(method, action);
      case "http":
        return this.#http(device, method, action, signal);
    }
  }

  async #ssh(device: DirectoryDevice, method: SshMethod, action: PowerOffAction, signal: AbortSignal): Promise<void> {
    const command = method.commands[action];
    if (command === undefined) throw notSet(action);
    const host = method.host ?? device.address;
    if (host === null) throw new Error("The device has no address to connect to");
    const { privateKey, passphrase = null } = await this.#secretsOf(device);
    if (!privateKey) throw new Error("There is no SSH key for this device");
    const [address = host] = await this.#options.outbound.addressesOf(host);
    const { port, username, hostKey } = method;
    const shown = await runOverSsh({ address, port, username, privateKey, passphrase, hostKey, command, signal });
    if (hostKey === null) this.#options.pinHostKey(device, shown.hostKey);
  }

  async #mqtt(method: MqttMethod, action: PowerOffAction): Promise<void> {
    const payload = method.payloads[action];
    if (payload === undefined) throw notSet(action);
    if (!this.#options.hasPlugs) throw new Error(NO_PLUGS);
    // at most once: what a client keeps for a broker or a plug that is away comes when the machine is in use again
    const properties = { messageExpiryInterval: PLUG_ORDER_SECONDS };
    await this.#options.link.outside.publish(method.topic, payload, { qos: 0, retain: false, properties });
  }

  async #http(device: DirectoryDevice, method: HttpMethod, action: PowerOffAction, signal: AbortSignal): Promise<void> {
    const request = method.requests[action];
    if (request === undefined) throw notSet(action);
    const { headers } = await this.#secretsOf(device);
    signal.throwIfAborted();
    const content = request.body === null ? {} : { "content-type": request.contentType };
    const answer = await this.#options.outbound.fetch(request.url, {
      method: request.method,
      headers: { ...content, ...headers },
      body: request.body ?? undefined,
    });
    if (answer.status >= 300) throw new Error(`${new URL(request.url).host} answered ${answer.status}`);
  }

  async #secretsOf({ id, siteId, sealedSecrets }: DirectoryDevice): Promise<PowerMethodSecrets> {
    const { secrets } = this.#options;
    if (sealedSecrets === null) return {};
    try {
      return Secrets.parse(await secrets.open(id, sealedSecrets));
    } catch {
      return await this.#readSecrets(id, siteId);
    }
  }

  /** The operator may have put another key in use since they were read. */
  async #readSecrets(id: string, siteId: string): Promise<PowerMethodSecrets> {
    const { database, secrets } = this.#options;
    try {
      const row = await database.bound(siteId).findOne(PowerMethod, { device: id });
      return row?.sealed ? Secrets.parse(await secrets.open(id, row.sealed)) : {};
    } catch (cause) {
      throw new Error("The secrets for it cannot be read", { cause }); // what a database says is nobody's business
    }
  }
}

function notSet(action: PowerOffAction): Error {
  return new Error(`Nothing is set for "${action}"`);
}
