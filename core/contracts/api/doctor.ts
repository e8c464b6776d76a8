import { z } from "zod";
import { Finding } from "../finding.ts";
import { Instant } from "../instant.ts";
import { Key } from "../key.ts";

/** `GET /api/devices/{id}/doctor`: why a device does not wake, or would not. The gravest finding comes first. */
export const DoctorReport = z.object({
  device: Key,
  at: Instant,
  verdict: z.enum(["fine", "may-fail", "cannot-work"]),
  summary: z.string().describe("in a sentence"),
  findings: z.array(Finding),
});
export type DoctorReport = z.infer<typeof DoctorReport>;
