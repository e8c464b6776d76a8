import type { Principal } from "#contracts/principal.ts";
import type { AccessPolicy, Authentication } from "./access-policy.ts";
import type { AedesClient, AedesInsides, AedesPublish } from "./aedes-insides.ts";
import type { BrokerLog } from "./options.ts";
import type { Connection } from "./connection.ts";
import type { BrokerLimits } from "./limits.ts";

export interface AuthenticatorOptions {
  readonly policy: AccessPolicy;
  readonly limits: BrokerLimits;
  readonly log: BrokerLog;
  readonly connectionOf: (client: AedesClient) => Connection | undefined;
  /** The connection that has this internal client id now. */
  readonly holderOf: (id: string) => Connection | undefined;
  /** Whether this Will may be published by this client. */
  readonly onWill: (connection: Connection, principal: Principal, will: AedesPublish) => boolean;
}

/** MQTT 3.1.1 §3.2.2.3; Aedes makes 0x88 and 0x86 of them for MQTT 5. */
const SERVER_UNAVAILABLE = 3;
const BAD_USER_NAME_OR_PASSWORD = 4;

/** Lets a client in, or not: Aedes' `authenticate`. The rest of CONNECT follows when it calls back. */
export function authenticator({
  policy,
  limits,
  log,
  connectionOf,
  holderOf,
  onWill,
}: AuthenticatorOptions): AedesInsides["authenticate"] {
  return (client, username, password, done) => {
    const connection = connectionOf(client);
    if (!connection) return done(refusal(SERVER_UNAVAILABLE), false);
    void answer(connection, { username, password }, done);
  };

  async function answer(
    connection: Connection,
    { username, password }: { username: string | undefined; password: Buffer | undefined },
    done: (error: Error | null, ok: boolean) => void,
  ): Promise<void> {
    const answer = await ask(connection, username, password);
    if (connection.client.closed) return;
    if (answer.ok) {
      admit(connection, answer.principal);
      return done(null, true);
    }
    const { clientId, address } = connection;
    log.info({ client: clientId, address, username, reason: answer.reason }, "refused a client");
    done(refusal(answer.reason === "unavailable" ? SERVER_UNAVAILABLE : BAD_USER_NAME_OR_PASSWORD), false);
  }

  async function ask(connection: Connection, username?: string, password?: Buffer): Promise<Authentication> {
    if (connection.hub) return { ok: true, principal: connection.hub };
    try {
      return await policy.authenticate({
        clientId: connection.clientId,
        username: username ?? null,
        password: password ?? null,
        address: connection.address,
        protocolVersion: connection.protocolVersion,
      });
    } catch (error) {
      log.warn({ err: error }, "could not tell whether a client may connect");
      return { ok: false, reason: "unavailable" };
    }
  }

  function admit(connection: Connection, principal: Principal): void {
    const { client, clientId } = connection;
    connection.principal = principal;
    connection.onAdmitted();
    // a client identifier is its owner's own: nobody takes over, or reads, the session of another by knowing it
    client.id = `${principal.id}/${clientId}`;
    connection.takenFrom = holderOf(client.id)?.address ?? null;
    client._assignedClientId = connection.isIdAssigned ? clientId : undefined;
    const asked = connection.keepAliveSeconds;
    if (client.version === 5 && (asked === 0 || asked > limits.keepAliveSeconds))
      client._serverKeepAlive = limits.keepAliveSeconds;
    if (client._will && !onWill(connection, principal, client._will)) client._will = null;
  }
}

function refusal(returnCode: number): Error {
  return Object.assign(new Error(""), { returnCode });
}
