import { z } from "zod";

/**
 * What an app asks Home Assistant's supervisor.
 *
 * @see https://developers.home-assistant.io/docs/api/supervisor/endpoints
 */

const MqttService = z.object({
  host: z.string(),
  port: z.int(),
  ssl: z.boolean().default(false),
  username: z.string().nullish(),
  password: z.string().nullish(),
});
export type MqttService = z.infer<typeof MqttService>;

const AppInfo = z.object({ ingress_port: z.int().positive() });

export interface Supervisor {
  readonly url: string;
  readonly token: string;
}

/** Home Assistant's broker, with the credentials for apps; undefined where no app provides one. */
export async function mqttService(supervisor: Supervisor): Promise<MqttService | undefined> {
  const data = await ask(supervisor, "/services/mqtt");
  return data === undefined ? undefined : MqttService.parse(data);
}

/** The port that the supervisor chose for the page. */
export async function ingressPort(supervisor: Supervisor): Promise<number> {
  return AppInfo.parse(await ask(supervisor, "/addons/self/info")).ingress_port;
}

/** @returns undefined for 400, by which it says that there is no such service. */
async function ask({ url, token }: Supervisor, path: string): Promise<unknown> {
  const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
  if (answer.status === 400) return undefined;
  if (!answer.ok) throw new Error(`the supervisor answers ${answer.status} to ${path}`);
  return z.object({ data: z.unknown() }).parse(await answer.json()).data;
}
