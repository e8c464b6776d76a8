import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Account {
  readonly username: string;
  readonly password: string;
}

/** A server of its own whose only page logs the visitor in at the hub. */
export interface Door {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Opens the hub's page without a log-in form: logs in at the hub's API, hands its cookie on, and sends the browser there.
 *
 * A cookie belongs to a host, whatever the port, so the door has to stand at the very host name of the hub.
 */
export async function openDoor(hubUrl: string, account: Account): Promise<Door> {
  const { hostname } = new URL(hubUrl);
  let cookies: string[] = [];
  // one session for all visits: log-ins are limited, and whoever tries the page may want some for himself
  const enter = async () => {
    if (!(await isLoggedIn(hubUrl, cookies))) cookies = await logIn(hubUrl, account);
    return cookies;
  };
  const server = createServer((request, response) => {
    const go = (location: string, headers: Record<string, string[]> = {}) =>
      response.writeHead(302, { location, "cache-control": "no-store", ...headers }).end();
    if (request.url !== "/") return void response.writeHead(404).end();
    // asked for by another name, the cookie would be of no use, or of use to somebody else
    if (request.headers.host !== new URL(url).host) return void go(url);
    enter().then(
      (session) => go(`${hubUrl}/`, { "set-cookie": session }),
      (error: Error) =>
        response.writeHead(503, { "content-type": "text/plain" }).end(`${error.message}\nThe hub is at ${hubUrl}\n`),
    );
  });
  server.listen(0, hostname);
  await once(server, "listening");
  const url = `http://${hostname}:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function isLoggedIn(hubUrl: string, cookies: readonly string[]): Promise<boolean> {
  const cookie = cookies.map((line) => line.split(";", 1)[0]).join("; ");
  return (await fetch(`${hubUrl}/api/auth/me`, { headers: { cookie } })).ok;
}

async function logIn(hubUrl: string, account: Account): Promise<string[]> {
  const answer = await fetch(`${hubUrl}/api/auth/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(account),
  });
  if (!answer.ok) throw new Error(`The hub did not let the demo in: ${await answer.text()}`);
  return answer.headers.getSetCookie();
}
