import type { z } from "zod";
import type { DoctorReport } from "#contracts/api/doctor.ts";
import type { PowerPlan } from "#contracts/api/plans.ts";
import type { PowerHistory } from "#contracts/api/power-history.ts";
import type { PowerMethodAnswer, PowerMethodBody } from "#contracts/api/power-methods.ts";
import type { ClusterPowerAccepted, PowerAccepted, PowerOffAnswer, PowerOffList } from "#contracts/api/power-offs.ts";
import type { PowerOffAction } from "#contracts/power-action.ts";
import { CallError, call } from "./call.ts";

/** What a plan or a request is about. */
export interface Subject {
  readonly kind: "device" | "cluster";
  readonly id: string;
  readonly name: string;
}

/** What would be done, in order; nothing is. */
export async function planOf(subject: Subject, action: PowerPlan["action"], force: boolean): Promise<PowerPlan> {
  return await call("GET", `/${subject.kind}s/${subject.id}/plan?action=${action}&force=${force}`);
}

/** @returns the id of the power-off that began. @throws CallError with the code of a refusal, too. */
export async function powerOffDevice(
  id: string,
  action: PowerOffAction | "off",
  force: boolean,
): Promise<string | null> {
  const answer = await call<PowerAccepted>("POST", `/devices/${id}/power`, { action, force });
  const { powerOff, stage, code, reason } = answer;
  if (stage === "refused") throw new CallError(code ?? "CONFLICT", reason ?? "The hub refused it");
  return powerOff;
}

/** What became of each of its devices. */
export async function powerOffCluster(id: string, force: boolean): Promise<PowerAccepted[]> {
  const body = { action: "off", force };
  return (await call<z.infer<typeof ClusterPowerAccepted>>("POST", `/clusters/${id}/power`, body)).devices;
}

/** The newest first. */
export async function powerOffsOf(deviceId: string, limit: number): Promise<PowerOffAnswer[]> {
  const { items } = await call<z.infer<typeof PowerOffList>>("GET", `/devices/${deviceId}/power-offs?limit=${limit}`);
  return items;
}

export async function cancelPowerOff(powerOffId: string): Promise<void> {
  await call("DELETE", `/power-offs/${powerOffId}`);
}

export async function doctorReport(deviceId: string): Promise<DoctorReport> {
  return await call("GET", `/devices/${deviceId}/doctor`);
}

/** The power states since an instant, oldest first. */
export async function powerHistory(deviceId: string, from: string): Promise<PowerHistory> {
  return await call("GET", `/devices/${deviceId}/history?from=${encodeURIComponent(from)}&limit=2000`);
}

export async function powerMethod(deviceId: string): Promise<PowerMethodAnswer> {
  return await call("GET", `/devices/${deviceId}/power-method`);
}

/** Secrets that are left out stay as they are. */
export async function setPowerMethod(
  deviceId: string,
  body: z.input<typeof PowerMethodBody>,
): Promise<PowerMethodAnswer> {
  return await call("PUT", `/devices/${deviceId}/power-method`, body);
}

/** With its secrets. */
export async function deletePowerMethod(deviceId: string): Promise<void> {
  await call("DELETE", `/devices/${deviceId}/power-method`);
}
