import type { Principal } from "#contracts/principal.ts";
import type { AccessPolicy, Authentication } from "./access-policy.ts";
import type { AedesClient, AedesInsides } from "./aedes-insides.ts";
import { BAD_CREDENTIALS, serverKeepAlive, UNAVAILABLE } from "./connect.ts";
import type { BrokerLog } from "./options.ts";
import type { Connection } from "./connection.ts";
import type { BrokerLimits } from "./limits.ts";

export interface AuthenticatorOptions {
  readonly policy: AccessPolicy;
  readonly limits: BrokerLimits;
  readonly log: BrokerLog;
  readonly connectionOf: (client: AedesClient) => Connection | undefined;
}

/** Lets a client in, or not: Aedes' `authenticate`. The rest of CONNECT follows when it calls back. */
export function authenticator({
  policy,
  limits,
  log,
  connectionOf,
}: AuthenticatorOptions): AedesInsides["authenticate"] {
  return (client, username, password, done) => {
    const connection = connectionOf(client);
    if (!connection) return done(new Error("no connection"), false);
    void answer(connection, { username, password }, () => done(null, true));
  };

  async function answer(
    connection: Connection,
    { username, password }: { username: string | undefined; password: Buffer | undefined },
    onAdmitted: () => void,
  ): Promise<void> {
    const answer = await ask(connection, username, password);
    if (connection.client.closed) return;
    if (answer.ok) {
      admit(connection, answer.principal);
      return onAdmitted();
    }
    const { clientId, address } = connection;
    log.info({ client: clientId, address, username, reason: answer.reason }, "refused a client");
    connection.turnAway(answer.reason === "unavailable" ? UNAVAILABLE : BAD_CREDENTIALS);
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
    const { client, clientId, request } = connection;
    connection.principal = principal;
    connection.onAdmitted();
    // a client identifier is its owner's own: nobody takes over, or reads, the session of another by knowing it
    client.id = `${principal.id}/${clientId}`;
    const keepAlive = serverKeepAlive(request, limits);
    if (keepAlive !== undefined) client._serverKeepAlive = keepAlive;
  }
}
