import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { IdParams, ListQuery } from "#contracts/api/common.ts";
import {
  MqttClientAnswer,
  MqttClientChange,
  MqttClientCreate,
  MqttClientCreated,
  MqttClientList,
} from "#contracts/api/mqtt-clients.ts";
import { pageOf, sortOrder } from "../kernel/pages.ts";
import type { App } from "../kernel/routes.ts";
import type { Directory } from "../members/directory.ts";
import { type BrokerAddress, mqttUrlFor } from "./broker-address.rules.ts";
import type { ClientUses } from "./client-uses.ts";
import { MqttClient } from "./mqtt-client.entity.ts";
import {
  changeMqttClient,
  createMqttClient,
  deleteMqttClient,
  findMqttClient,
  mqttClientAnswer,
} from "./mqtt-clients.service.ts";
import type { MqttCredentials } from "./mqtt-credentials.ts";

export interface MqttClientRoutes {
  readonly directory: Directory;
  readonly credentials: MqttCredentials;
  readonly uses: ClientUses;
  readonly disconnect: (principalId: string) => void;
  readonly broker: BrokerAddress;
  /** What the hub calls itself on a broker that somebody else runs. */
  readonly hubUsername: string | null;
}

/** So many at the most: every one of them is a program that somebody set up. */
const MAX_CLIENTS = 1_000;

export function mqttClientRoutes(
  app: App,
  { directory, credentials, uses, disconnect, broker, hubUsername }: MqttClientRoutes,
): void {
  const config = { permission: "mqtt-client:manage" } as const;
  const contextOf = ({ em, trail, account }: Pick<FastifyRequest, "em" | "trail" | "account">) => ({
    em,
    trail,
    directory,
    credentials,
    siteId: account.siteId,
    hubUsername,
  });
  const answer = (row: MqttClient) => mqttClientAnswer(row, uses, new Date());

  app.get(
    "/mqtt-clients",
    { config, schema: { summary: "List MQTT credentials", querystring: ListQuery, response: { 200: MqttClientList } } },
    async (request) => {
      const rows = await request.em.find(MqttClient, {}, { limit: MAX_CLIENTS });
      const page = pageOf(rows, request.query, sortOrder("name"));
      return { ...page, items: page.items.map(answer) };
    },
  );

  app.post(
    "/mqtt-clients",
    {
      config,
      schema: {
        summary: "Make an MQTT credential; its password is shown once",
        body: MqttClientCreate,
        response: { 201: MqttClientCreated },
      },
    },
    async (request, reply) => {
      const { row, password } = await createMqttClient(contextOf(request), request.body, new Date());
      const { baseTopic } = broker;
      return reply
        .code(201)
        .send({ ...answer(row), password, mqttUrl: mqttUrlFor(broker, request.hostname), baseTopic });
    },
  );

  app.get(
    "/mqtt-clients/:id",
    { config, schema: { summary: "One MQTT credential", params: IdParams, response: { 200: MqttClientAnswer } } },
    async (request) => answer(await findMqttClient(request.em, request.params.id)),
  );

  app.patch(
    "/mqtt-clients/:id",
    {
      config,
      schema: {
        summary: "Change what an MQTT credential may do",
        params: IdParams,
        body: MqttClientChange,
        response: { 200: MqttClientAnswer },
      },
    },
    async (request) => answer(await changeMqttClient(contextOf(request), request.params.id, request.body, new Date())),
  );

  app.delete(
    "/mqtt-clients/:id",
    {
      config,
      schema: {
        summary: "Revoke an MQTT credential and end its connections",
        params: IdParams,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await deleteMqttClient(contextOf(request), id, () => {
        uses.forget(id);
        disconnect(id);
      });
      return reply.code(204).send(null);
    },
  );
}
