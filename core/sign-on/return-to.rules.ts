const ANYWHERE = "http://hub.invalid";
const MAX_LENGTH = 1_000;

/**
 * Where a browser goes after its log-in: a path of the page, as it was asked for, else `/`.
 *
 * Browsers read `\` as `/` and leave tabs and line breaks out, so `/\evil.example` and `/<tab>/evil.example` lead elsewhere
 * as `//evil.example` does. What stands under `/api` is no page.
 *
 * @see WHATWG URL, "scheme-relative-special-URL string"
 */
export function localPath(wanted: string | undefined): string {
  if (wanted === undefined || wanted.length > MAX_LENGTH) return "/";
  if (!/^\/(?!\/)[^\\\p{Cc}\p{Cs}]*$/u.test(wanted)) return "/";
  const { pathname, search, hash } = new URL(wanted, ANYWHERE);
  return /^\/(?:\/|api(?:\/|$))/i.test(pathname) ? "/" : pathname + search + hash;
}
