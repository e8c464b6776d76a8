import type { MqttPermission } from "#contracts/principal.ts";

/** What an MQTT credential may do, and what that is good for. */
export const MQTT_PERMISSION_WORDS: Readonly<Record<MqttPermission, { label: string; hint: string }>> = {
  read: { label: "Read", hint: "What is on, and what happens: every topic of its clusters." },
  wake: { label: "Wake", hint: "Devices and whole clusters." },
  power: { label: "Power down", hint: "Shut down, sleep, restart." },
  discovery: { label: "Discovery", hint: "For Home Assistant: every device appears there by itself." },
};
