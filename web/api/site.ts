// inside Home Assistant its pages and those of its apps keep theirs in the same place
const KEY = "powerbeacon-site";

/** The key of the site that somebody chose to see; null = the account's first one. A new tab begins with the last choice. */
export function chosenSite(): string | null {
  return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
}

export function chooseSite(key: string): void {
  sessionStorage.setItem(KEY, key);
  localStorage.setItem(KEY, key);
}

export function forgetSite(): void {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}
