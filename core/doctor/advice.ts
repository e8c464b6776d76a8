import type { Inventory } from "#contracts/agent.ts";

/** What to do on which system. The commands are those that the makers of the systems document. */

export const HOST_NETWORK_ADVICE =
  "Start its container in the host's network: `docker run --network host …`, or `network_mode: host` in the compose file. Docker Desktop on Windows and macOS has no such network: run the agent there without a container.";

export const FIRMWARE_ADVICE =
  "In the firmware (BIOS or UEFI) switch on Wake on LAN, also called Power on by PCI-E or Resume by LAN, and switch off ErP, EuP and Deep Sleep, which take the power from the network card.";

/** How to let a network card wake its machine, and keep it so. */
export function armAdvice(os: Inventory["os"], card: string): string {
  switch (os) {
    case "linux":
      return `As root run \`ethtool -s ${card} wol g\`. To keep it: \`nmcli connection modify NAME 802-3-ethernet.wake-on-lan magic\` with NetworkManager, or \`WakeOnLan=magic\` in the [Link] section of a file in /etc/systemd/network with systemd. ${FIRMWARE_ADVICE}`;
    case "windows":
      return `In the Device Manager open the network card: under Power Management allow it to wake the computer, under Advanced enable Wake on Magic Packet. Or as administrator: \`powershell Enable-NetAdapterPowerManagement -Name "${card}" -WakeOnMagicPacket\`. ${FIRMWARE_ADVICE}`;
    case "macos":
      return "In System Settings, Energy (on notebooks Battery, Options), switch on Wake for network access; or run `sudo pmset -a womp 1`.";
    case "other":
      return `Let the system's settings of ${card} allow it to wake the machine by a magic packet. ${FIRMWARE_ADVICE}`;
  }
}

export const FAST_STARTUP_ADVICE =
  "In the Control Panel under Power Options, Choose what the power buttons do, switch off Turn on fast startup; or as administrator `powercfg /hibernate off`, which takes hibernation along. Sleep and hibernation are not concerned.";

/** What to look at where an agent said this of a packet that it could not send. */
export function sendAdvice(reasons: readonly string[]): string {
  const some = (pattern: RegExp) => reasons.some((reason) => pattern.test(reason));
  if (some(/^(EXPIRED|NOT_YET_VALID|CLOCK_UNKNOWN)$/))
    return "The agent does not trust the time of the order. Let its machine keep its clock by NTP, and see that its connection to the hub is not held up; then wake again.";
  if (some(/^(BAD_SIGNATURE|WRONG_AUDIENCE)$/))
    return "The agent does not know this hub's key. Let it join again with a new code and --replace.";
  if (some(/^BUSY$/)) return "The agent had too much to send at once; wake again, or wake fewer devices at a time.";
  if (some(/EACCES|EPERM/))
    return "The agent's system forbids it to send broadcasts. Look at its firewall, and at what its container may do.";
  if (some(/ENETUNREACH|EHOSTUNREACH|ENETDOWN|EADDRNOTAVAIL|no interface/i))
    return "The agent's machine has no way into that network. Look at its network cable, its address, and the wake addresses of the device.";
  return "Look into the agent's log at the time of the wake, and whether its connection to the hub is steady.";
}
