import type { OperatingSystem } from "#contracts/agent.ts";

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
    mac: "02:00:5e:00:10:01",
    address: "127.0.10.20",
    isUpAtFirst: true,
    bootMs: 8_000,
  },
  {
    name: "Gaming PC",
    place: "Home",
    os: "windows",
    description: "Up four seconds after its magic packet",
    tags: ["attic"],
    mac: "02:00:5e:00:10:02",
    address: "127.0.10.30",
    isUpAtFirst: false,
    bootMs: 4_000,
  },
  {
    name: "Media player",
    place: "Home",
    os: "linux",
    description: "Goes to sleep by itself after three minutes",
    tags: ["living room"],
    mac: "02:00:5e:00:10:03",
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
    mac: "02:00:5e:00:20:01",
    address: "127.0.20.10",
    isUpAtFirst: true,
    bootMs: 7_000,
  },
  {
    name: "Backup server",
    place: "Office",
    os: "linux",
    description: "Misses the first magic packets, so the hub sends them again",
    tags: ["rack", "storage"],
    mac: "02:00:5e:00:20:02",
    address: "127.0.20.11",
    isUpAtFirst: false,
    bootMs: 3_000,
    packetsNeeded: MORE_THAN_ONE_BURST,
  },
  {
    name: "Workstation",
    place: "Office",
    os: "windows",
    description: "Never wakes: Wake-on-LAN is off in its firmware",
    tags: ["desk"],
    mac: "02:00:5e:00:20:03",
    address: "127.0.20.50",
    isUpAtFirst: false,
    bootMs: 5_000,
    neverBoots: true,
    windowSeconds: 30,
  },
];
