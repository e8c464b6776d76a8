/** How a device was seen, in the words of the field. */
export const EVIDENCE_WORDS = {
  icmp: "ping",
  arp: "ARP",
  tcp: "TCP",
  mdns: "mDNS",
  agent: "its own agent",
  plug: "its plug",
} as const;
