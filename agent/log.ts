import type { Writable } from "node:stream";

const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LEVELS)[number];

/** The calls of pino that the agent uses. pino itself stays away: it would cost a tenth of the agent's memory. */
export type Log = Readonly<Record<LogLevel, (details: object, message: string) => void>>;

export interface LogOptions {
  readonly level: LogLevel | "silent";
  readonly stream: Writable & { readonly isTTY?: boolean };
}

/** Writes JSON lines, or on a terminal one readable line each. Errors in `details` keep their message and stack. */
export function createLog({ level, stream }: LogOptions): Log {
  const lowest = level === "silent" ? LEVELS.length : LEVELS.indexOf(level);
  const format = stream.isTTY ? readableLine : jsonLine;
  const at = (own: LogLevel) =>
    LEVELS.indexOf(own) < lowest
      ? () => {}
      : (details: object, message: string) => {
          stream.write(`${format(own, details, message, new Date())}\n`);
        };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function jsonLine(level: LogLevel, details: object, message: string, at: Date): string {
  return JSON.stringify({ level, time: at.toISOString(), ...details, msg: message }, errorsAsText);
}

function readableLine(level: LogLevel, details: object, message: string, at: Date): string {
  const facts = Object.entries(details).map(([name, value]) => ` ${name}=${JSON.stringify(value, errorsAsText)}`);
  return `${at.toISOString().slice(11, 19)} ${level.toUpperCase().padEnd(5)} ${message}${facts.join("")}`;
}

function errorsAsText(_name: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  return value.name === "AgentError" ? value.message : (value.stack ?? value.message);
}
