/**
 * Where the page stands: at the root of the hub's address, or below a path where Home Assistant shows it. The hub says so on
 * the root element of the page it serves there: `data-base`, and `data-address` with where it is found past Home Assistant.
 */

/** What stands before every path of the hub; empty where it stands at the root. */
function base(): string {
  return document.documentElement.dataset["base"] ?? "";
}

/** Shown by Home Assistant, whose page this one is framed by. */
export function isInHomeAssistant(): boolean {
  return base() !== "";
}

/** How a browser asks for a path of the hub, such as `/settings` or `/api/devices`. */
export function hrefOf(path: string): string {
  return base() + path;
}

/** The hub's path of an address below this page; undefined for what lies elsewhere. */
export function pathBelow(pathname: string): string | undefined {
  const before = base();
  if (pathname === before) return "/";
  return pathname.startsWith(`${before}/`) ? pathname.slice(before.length) : undefined;
}

/** The path of the hub in the address bar. */
export function currentPath(): string {
  return pathBelow(location.pathname) ?? "/";
}

/** Where scripts find the hub: `http://nas.lan:8080`. */
export function hubAddress(): string {
  return document.documentElement.dataset["address"] ?? location.origin;
}
