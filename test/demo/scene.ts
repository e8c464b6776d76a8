import type { OperatingSystem } from "#contracts/agent.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";

/** What the demo shows: two places with an agent each, and the machines in them. */

export interface Place {
  readonly name: string;
  readonly description: string;
  readonly agent: string;
}

export interface Machine {
  readonly name: string;
  readonly place: string;
  readonly os: OperatingSystem;
  readonly description: string;
  readonly tags: readonly string[];
  /** Of those that RFC 7042 keeps for documents. */
  readonly mac: string;
  /** Of 127.0.0.0/8, where the system has all of it. */
  readonly address: string;
  readonly isUpAtFirst: boolean;
  readonly bootMs: number;
  readonly packetsNeeded?: number;
  readonly neverBoots?: boolean;
  readonly windowSeconds?: number;
  /** Goes down by itself when it has been up for so long. */
  readonly sleepsAfterMs?: number;
  /** An agent of its own runs on it while it is up, and takes it down. */
  readonly own?: OwnAgent;
  /** Machines that have to be up before. */
  readonly needs?: readonly string[];
}

export interface OwnAgent {
  readonly name: string;
  readonly can: readonly PowerOffAction[];
  /** Who is logged in there, and told before it goes down. */
  readonly people: number;
}

export const PLACES: readonly Place[] = [
  { name: "Home", description: "Ground floor and attic", agent: "Raspberry Pi" },
  { name: "Office", description: "The rack and the desks", agent: "Office gateway" },
];

/** One burst is three packets: a machine that needs a fourth shows how the hub sends again. */
const MORE_THAN_ONE_BURST = 4;

export const MACHINES: readonly Machine[] = [
  {
    name: "NAS",
    place: "Home",
    os: "linux",
    description: "Photos, music and everybody's backups",
    tags: ["storage", "always on"],
    mac: "00:00:5e:00:53:11",
    address: "127.0.10.20",
    isUpAtFirst: true,
    bootMs: 8_000,
    own: { name: "NAS agent", can: ["shutdown", "reboot"], people: 0 },
  },
  {
    name: "Gaming PC",
    place: "Home",
    os: "windows",
    description: "Up four seconds after its magic packet; whoever plays may say not now",
    tags: ["attic"],
    mac: "00:00:5e:00:53:12",
    address: "127.0.10.30",
    isUpAtFirst: false,
    bootMs: 4_000,
    own: { name: "Gaming PC agent", can: ["shutdown", "sleep", "hibernate", "reboot"], people: 1 },
  },
  {
    name: "Media player",
    place: "Home",
    os: "linux",
    description: "Goes to sleep by itself after three minutes",
    tags: ["living room"],
    mac: "00:00:5e:00:53:13",
    address: "127.0.10.40",
    isUpAtFirst: true,
    bootMs: 2_000,
    sleepsAfterMs: 180_000,
  },
  {
    name: "Proxmox",
    place: "Office",
    os: "linux",
    description: "Virtual machines",
    tags: ["rack", "always on"],
    mac: "00:00:5e:00:53:21",
    address: "127.0.20.10",
    isUpAtFirst: true,
    bootMs: 7_000,
    own: { name: "Proxmox agent", can: ["shutdown", "reboot"], people: 0 },
  },
  {
    name: "Backup server",
    place: "Office",
    os: "linux",
    description: "Misses the first magic packets, so the hub sends them again",
    tags: ["rack", "storage"],
    mac: "00:00:5e:00:53:22",
    address: "127.0.20.11",
    isUpAtFirst: false,
    bootMs: 3_000,
    packetsNeeded: MORE_THAN_ONE_BURST,
    needs: ["Proxmox"],
  },
  {
    name: "Workstation",
    place: "Office",
    os: "windows",
    description: "Never wakes: Wake-on-LAN is off in its firmware",
    tags: ["desk"],
    mac: "00:00:5e:00:53:23",
    address: "127.0.20.50",
    isUpAtFirst: false,
    bootMs: 5_000,
    neverBoots: true,
    windowSeconds: 30,
  },
];
