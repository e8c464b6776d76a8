import { z } from "zod";
import { MacAddress } from "#contracts/mac-address.ts";
import type { CardFacts, HostFacts } from "./host-facts.ts";
import { isVirtualModel } from "./virtual-machine.rules.ts";

/**
 * Asks everything at once, since starting PowerShell takes a second. It prints one line of JSON; what a Windows does not have,
 * or does not tell to who is no administrator, is null or missing.
 */
export const WINDOWS_SCRIPT = `
$ErrorActionPreference = 'SilentlyContinue'
$ProgressPreference = 'SilentlyContinue'
[Console]::OutputEncoding = [Text.Encoding]::UTF8
$power = @{}
Get-NetAdapterPowerManagement | ForEach-Object { $power[$_.Name] = [string]$_.WakeOnMagicPacket }
$system = Get-CimInstance Win32_ComputerSystem
$session = 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Power'
@{
  adapters = @(Get-NetAdapter | ForEach-Object { @{
    name = $_.Name; description = $_.InterfaceDescription; mac = $_.MacAddress; status = [string]$_.Status
    medium = [int]$_.NdisPhysicalMedium; virtual = [bool]$_.Virtual; magic = $power[$_.Name] } })
  armed = @(powercfg.exe /devicequery wake_armed)
  fastStartup = (Get-ItemProperty $session).HiberbootEnabled
  hibernation = (Get-ItemProperty 'HKLM:\\SYSTEM\\CurrentControlSet\\Control\\Power').HibernateEnabled
  model = $system.Manufacturer + ' ' + $system.Model
} | ConvertTo-Json -Depth 4 -Compress
`;

const Adapter = z.object({
  name: z.string(),
  description: z.string().nullish(),
  mac: z.string().nullish(),
  status: z.string().nullish(),
  medium: z.number().nullish(),
  virtual: z.boolean().nullish(),
  magic: z.string().nullish(),
});

const Told = z.object({
  adapters: z.array(Adapter).nullish(),
  armed: z.array(z.string().nullable()).nullish(),
  fastStartup: z.number().nullish(),
  hibernation: z.number().nullish(),
  model: z.string().nullish(),
});

/** Reads what the script printed; undefined where that is not what was expected. */
export function parseWindows(text: string): HostFacts | undefined {
  const told = Told.safeParse(jsonOf(text)).data;
  if (!told) return undefined;
  const armed = (told.armed ?? []).flatMap((line) => line?.trim() || []);
  return {
    cards: (told.adapters ?? []).map((adapter) => cardOf(adapter, armed)),
    machine: {
      container: null,
      virtual: told.model?.trim() ? isVirtualModel(told.model) : null,
      fastStartup: fastStartupOf(told),
    },
  };
}

/** It needs hibernation, whatever its own switch says. */
function fastStartupOf({ fastStartup, hibernation }: z.infer<typeof Told>): boolean | null {
  if (hibernation === 0) return false;
  return typeof fastStartup === "number" ? fastStartup === 1 : null;
}

function cardOf(adapter: z.infer<typeof Adapter>, armed: readonly string[]): CardFacts {
  return {
    name: adapter.name,
    mac: MacAddress.safeParse(adapter.mac).data ?? null,
    kind: kindOf(adapter),
    link: adapter.status === "Up" ? true : adapter.status === "Disconnected" ? false : null,
    armed: armedOf(adapter, armed),
    secureOn: null,
  };
}

/** NDIS_PHYSICAL_MEDIUM of ntddndis.h: 14 is 802.3, 1 and 9 are kinds of 802.11. */
function kindOf({ medium, virtual }: z.infer<typeof Adapter>): CardFacts["kind"] {
  if (virtual === true) return "virtual";
  if (medium === 14) return "ethernet";
  if (medium === 1 || medium === 9) return "wifi";
  return typeof medium === "number" && medium !== 0 ? "other" : null;
}

/**
 * `powercfg /devicequery wake_armed` lists what may wake the machine, or says NONE; the driver has to know magic packets as
 * well, which only administrators are told.
 */
function armedOf({ description, magic, virtual }: z.infer<typeof Adapter>, armed: readonly string[]): boolean | null {
  if (virtual === true) return null;
  if (magic === "Disabled" || magic === "Unsupported") return false;
  if (armed.length === 0 || !description) return null;
  return armed.some((name) => name.replace(/ \(\d{3}\)$/, "") === description);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
