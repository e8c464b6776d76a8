/** What `ethtool NAME` says about waking and the link. */
export interface EthtoolFacts {
  /** Whether it is set to wake on a magic packet; null where that was not told, as to who is not root. */
  readonly armed: boolean | null;
  readonly secureOn: boolean | null;
  readonly link: boolean | null;
}

/**
 * Reads the output of `ethtool NAME`.
 *
 * `Wake-on` holds a letter for each thing that wakes: `g` a magic packet, `s` one with a SecureOn password, `d` nothing.
 *
 * @see ethtool(8), "wol p|u|m|b|a|g|s|f|d"
 */
export function parseEthtool(text: string): EthtoolFacts {
  const wakeOn = /^\s*Wake-on:\s*([a-z]+)\s*$/m.exec(text)?.[1];
  const link = /^\s*Link detected:\s*(yes|no)\b/m.exec(text)?.[1];
  return {
    armed: wakeOn === undefined ? null : /[gs]/.test(wakeOn),
    secureOn: wakeOn === undefined ? null : wakeOn.includes("s"),
    link: link === undefined ? null : link === "yes",
  };
}
