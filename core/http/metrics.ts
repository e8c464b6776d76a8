import { isIPv4 } from "node:net";
import type { FastifyRequest } from "fastify";
import { reachFor } from "#contracts/permissions.ts";
import type { HubInfo } from "#contracts/power.ts";
import type { Audit } from "../audit/audit.service.ts";
import type { Database } from "../kernel/database.ts";
import { HubError } from "../kernel/errors.ts";
import type { Account, App } from "../kernel/routes.ts";

/** Where the figures come from; all of them are in memory. */
export interface MetricsSources {
  readonly version: string;
  readonly startedAt: Date;
  readonly database: Database;
  readonly audit: Audit;
  readonly hub: () => Pick<HubInfo, "devices" | "agents">;
  readonly runningWakes: () => number;
  readonly sessions: () => number;
  /** Of the embedded broker; null where the broker is somebody else's. */
  readonly broker: { figures(): BrokerFigures } | null;
}

export interface BrokerFigures {
  readonly clients: number;
  readonly awaySessions: number;
  readonly retained: number;
  readonly refusals: number;
  readonly droppedClients: number;
  readonly droppedMessages: number;
}

/** The figures of the hub for Prometheus: for programs on the same machine, and for whoever may read the audit log. */
export function metricsRoute(app: App, sources: MetricsSources): void {
  app.get(
    "/metrics",
    {
      config: { permission: "public", knowsCaller: true },
      schema: { summary: "Figures for Prometheus: on the hub's own machine, or with audit:read" },
    },
    async (request, reply) => {
      checkReader(request);
      return reply.type("text/plain; version=0.0.4; charset=utf-8").send(textOf(await metricsOf(sources)));
    },
  );
}

/**
 * A proxy on this machine calls for others, so a call that it passed on is not one from here. No header makes a call one
 * from here either.
 *
 * @throws HubError UNAUTHENTICATED, FORBIDDEN
 */
function checkReader({ account, headers, socket }: FastifyRequest): void {
  const isPassedOn = ["forwarded", "x-forwarded-for", "x-real-ip", "via"].some((name) => headers[name] !== undefined);
  if (isLoopback(socket.remoteAddress) && !isPassedOn) return;
  const known = account as Account | undefined; // nobody, on a public route
  if (!known) throw new HubError("UNAUTHENTICATED", "From another machine this needs a token with audit:read");
  if (reachFor(known, "audit:read") === undefined) throw new HubError("FORBIDDEN", "This needs audit:read");
}

function isLoopback(address = ""): boolean {
  const plain = address.replace(/^::ffff:/i, "");
  return plain === "::1" || (isIPv4(plain) && plain.startsWith("127."));
}

interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  /** One figure, or one for each value of a label. */
  readonly value: number | { readonly label: string; readonly values: Readonly<Record<string, number>> };
}

const gauge = (name: string, help: string, value: Metric["value"]): Metric => ({ name, type: "gauge", help, value });
const counter = (name: string, help: string, value: number): Metric => ({ name, type: "counter", help, value });

async function metricsOf(sources: MetricsSources): Promise<Metric[]> {
  const { audit, hub } = sources;
  const { total: _total, ...power } = hub().devices;
  const { agents } = hub();
  const { written, waiting, lost, refused, unnoted } = audit.counts;
  const info = { label: "version", values: { [sources.version]: 1 } };
  const { heapUsed, rss } = process.memoryUsage();
  const cpu = process.cpuUsage();
  return [
    gauge("powerbeacon_info", "The version that runs", info),
    gauge("powerbeacon_database_up", "1 while the database answers", Number(sources.database.isUp())),
    gauge("powerbeacon_audit_up", "1 while the audit log can be written", Number(audit.state === "ok")),
    gauge("powerbeacon_audit_rows_waiting", "Rows of the audit log that are not written yet", waiting),
    counter("powerbeacon_audit_rows_written_total", "Rows of the audit log that were written", written),
    counter(
      "powerbeacon_audit_refusals_unnoted_total",
      "Refusals and failures beyond those that are noted of one actor a minute",
      unnoted,
    ),
    counter("powerbeacon_audit_rows_lost_total", "Rows of the audit log that could not be written", lost),
    counter("powerbeacon_audit_refused_changes_total", "Changes refused for want of their row", refused),
    gauge("powerbeacon_devices", "Devices by power state", { label: "power", values: power }),
    gauge("powerbeacon_agents", "Agents that have joined", agents.total),
    gauge("powerbeacon_agents_online", "Agents that are connected", agents.online),
    gauge("powerbeacon_wakes_running", "Wakes that are not over", sources.runningWakes()),
    gauge("powerbeacon_sessions", "Log-ins that are open", sources.sessions()),
    ...(sources.broker ? brokerMetrics(sources.broker.figures()) : []),
    gauge("process_start_time_seconds", "When the hub started", sources.startedAt.getTime() / 1_000),
    counter("process_cpu_seconds_total", "Processor time used", (cpu.user + cpu.system) / 1_000_000),
    gauge("process_resident_memory_bytes", "Memory in use", rss),
    gauge("nodejs_heap_size_used_bytes", "Memory in use for objects", heapUsed),
    gauge("nodejs_eventloop_lag_seconds", "How long work waits for its turn, now", await eventLoopLag()),
  ];
}

function brokerMetrics(figures: BrokerFigures): Metric[] {
  return [
    gauge("powerbeacon_mqtt_clients", "Clients of the broker that are connected", figures.clients),
    gauge("powerbeacon_mqtt_sessions_away", "Sessions that wait for their client", figures.awaySessions),
    gauge("powerbeacon_mqtt_retained", "Topics with a retained message", figures.retained),
    counter("powerbeacon_mqtt_refusals_total", "What clients were not allowed to do", figures.refusals),
    counter("powerbeacon_mqtt_dropped_clients_total", "Clients that did not read", figures.droppedClients),
    counter("powerbeacon_mqtt_dropped_messages_total", "Messages for which there was no room", figures.droppedMessages),
  ];
}

async function eventLoopLag(): Promise<number> {
  const asked = performance.now();
  await new Promise((resolve) => setImmediate(resolve));
  return (performance.now() - asked) / 1_000;
}

/** @see https://prometheus.io/docs/instrumenting/exposition_formats */
function textOf(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, type, help, value }) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples(name, value)}`)
    .join("");
}

function samples(name: string, value: Metric["value"]): string {
  if (typeof value === "number") return `${name} ${value}\n`;
  const { label, values } = value;
  return Object.entries(values)
    .map(([key, figure]) => `${name}{${label}="${key}"} ${figure}\n`)
    .join("");
}
