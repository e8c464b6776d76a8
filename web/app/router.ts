import { currentPath, hrefOf, pathBelow } from "../api/address.ts";

/** What the address bar says. What is nothing else is the dashboard, with perhaps one thing opened on it. */
export type Route =
  | { readonly page: "setup" | "login" | "schedules" }
  | { readonly page: "settings"; readonly section: string }
  | { readonly page: "dashboard"; readonly opened: Opened | undefined };

export interface Opened {
  readonly kind: "device" | "cluster" | "agent";
  readonly key: string;
}

export const SCHEDULES_PATH = "/schedules";

/** Of the settings; everybody may see it. */
export const FIRST_SECTION = "profile";

const FOLDERS = { devices: "device", clusters: "cluster", agents: "agent" } as const;

/** What a path of the page means. An unknown one is the dashboard. */
export function routeOf(path: string): Route {
  const [folder = "", key] = path.split("/").filter(Boolean);
  if (folder === "setup" || folder === "login" || folder === "schedules") return { page: folder };
  if (folder === "settings") return { page: "settings", section: key ?? FIRST_SECTION };
  if (!Object.hasOwn(FOLDERS, folder) || key === undefined) return { page: "dashboard", opened: undefined };
  return { page: "dashboard", opened: { kind: FOLDERS[folder as keyof typeof FOLDERS], key: decoded(key) } };
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key; // no key holds a %, so nothing is found by it, and the page says that
  }
}

/** The path of a thing: `/devices/nas`. A link to it is `hrefOf` that. */
export function pathOf({ kind, key }: Opened): string {
  return `/${kind}s/${encodeURIComponent(key)}`;
}

export function pathOfSection(section: string): string {
  return `/settings/${section}`;
}

/** Goes to a path of the page without loading it anew. */
export function navigate(path: string): void {
  if (path !== currentPath()) history.pushState(null, "", hrefOf(path));
  globalThis.dispatchEvent(new Event("navigated"));
}

/** Calls the listener on every change of the address, by a link, by code or by the browser's own buttons. */
export function onNavigation(listener: () => void): () => void {
  globalThis.addEventListener("navigated", listener);
  globalThis.addEventListener("popstate", listener);
  return () => {
    globalThis.removeEventListener("navigated", listener);
    globalThis.removeEventListener("popstate", listener);
  };
}

/** Follows a click on a link of ours in place, and leaves every other click, with its modifier keys, to the browser. */
export function followInPlace(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.composedPath().find((target) => target instanceof HTMLAnchorElement);
  if (!link || link.origin !== location.origin || link.target !== "") return;
  const path = pathBelow(link.pathname);
  if (path === undefined || path.startsWith("/api/")) return;
  event.preventDefault();
  navigate(path);
}
