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
  /** The host key that a machine showed first is the one from now on. */
  readonly pinHostKey: (device: DirectoryDevice, hostKey: string) => Promise<void>;
}

/** Powers machines off by the ways that were set for them, where no agent runs on them. */
export class PowerMethodRunner {
  readonly #options: PowerMethodRunnerOptions;

  constructor(options: PowerMethodRunnerOptions) {
    this.#options = options;
  }

  /** Resolves when the machine, its plug or whoever was called has taken it. @throws Error with a sentence why not. */
  async run(device: DirectoryDevice, action: PowerOffAction): Promise<void> {
    const method = device.powerMethod;
    switch (method?.type) {
      case undefined:
        throw new Error("No other way of powering it off is set");
      case "ssh":
        return this.#ssh(device, method, action);
      case "mqtt":
        return this.#mqtt(method, action);
      case "http":
        return this.#http(device, method, action);
    }
  }

  async #ssh(device: DirectoryDevice, method: SshMethod, action: PowerOffAction): Promise<void> {
    const command = method.commands[action];
    if (command === undefined) throw notSet(action);
    const host = method.host ?? device.address;
    if (host === null) throw new Error("The device has no address to connect to");
    const { privateKey, passphrase = null } = await this.#secretsOf(device);
    if (!privateKey) throw new Error("There is no SSH key for this device");
    const [address = host] = await this.#options.outbound.addressesOf(host);
    const { port, username, hostKey } = method;
    const shown = await runOverSsh({ address, port, username, privateKey, passphrase, hostKey, command });
    if (hostKey === null) await this.#options.pinHostKey(device, shown.hostKey);
  }

  async #mqtt(method: MqttMethod, action: PowerOffAction): Promise<void> {
    const payload = method.payloads[action];
    if (payload === undefined) throw notSet(action);
    await this.#options.link.outside.publish(method.topic, payload, { qos: 1, retain: false });
  }

  async #http(device: DirectoryDevice, method: HttpMethod, action: PowerOffAction): Promise<void> {
    const request = method.requests[action];
    if (request === undefined) throw notSet(action);
    const { headers } = await this.#secretsOf(device);
    const content = request.body === null ? {} : { "content-type": request.contentType };
    const answer = await this.#options.outbound.fetch(request.url, {
      method: request.method,
      headers: { ...content, ...headers },
      body: request.body ?? undefined,
    });
    if (answer.status >= 300) throw new Error(`${new URL(request.url).host} answered ${answer.status}`);
  }

  async #secretsOf(device: DirectoryDevice): Promise<PowerMethodSecrets> {
    const row = await this.#options.database.bound(device.siteId).findOne(PowerMethod, { device: device.id });
    if (!row?.sealed) return {};
    return Secrets.parse(await this.#options.secrets.open(device.id, row.sealed));
  }
}

function notSet(action: PowerOffAction): Error {
  return new Error(`Nothing is set for "${action}"`);
}
