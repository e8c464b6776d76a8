import { expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { PowerMethodAnswer } from "#contracts/api/power-methods.ts";
import { heard, mounted } from "../fixtures/mounted.ts";
import { device } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { PowerMethodForm } from "./power-method-form.ts";

const nas = device({ name: "NAS" });
const PUT = `PUT /devices/${nas.id}/power-method`;
const NONE: PowerMethodAnswer = { method: null, secretsSet: [], publicKey: null };
const LINE = "ssh-ed25519 AAAAC3 powerbeacon-nas";
const field = (label: string) => page.getByLabelText(label, { exact: true });
const button = (name: string) => page.getByRole("button", { name, exact: true });

async function open(kept: PowerMethodAnswer = NONE) {
  const hub = scriptedHub();
  hub.answers(`GET /devices/${nas.id}/power-method`, () => json(kept));
  hub.answers(PUT, () => json(kept));
  const element = await mounted(PowerMethodForm, { device: nas });
  await expect.element(page.getByLabelText("How")).toBeVisible();
  return { hub, closed: heard(element, "closed"), sent: () => hub.bodiesOf(PUT) };
}

test("SSH without a key is given one by the hub, whose line stays to be copied", async () => {
  const { hub, sent, closed } = await open();
  hub.answers(PUT, () => json({ ...NONE, secretsSet: ["privateKey"], publicKey: LINE }));
  await userEvent.fill(field("User name"), "powerbeacon");
  await userEvent.fill(field("Shut down"), "sudo systemctl poweroff");
  await userEvent.click(button("Save"));
  await expect.element(page.getByText(LINE)).toBeVisible();
  expect(closed).toEqual([]);
  expect(sent()).toEqual([
    {
      method: {
        type: "ssh",
        host: null,
        port: 22,
        username: "powerbeacon",
        hostKey: null,
        commands: { shutdown: "sudo systemctl poweroff" },
      },
      secrets: {},
    },
  ]);
  await userEvent.click(page.getByRole("button", { name: "Close" }).last());
  await expect.poll(() => closed.length).toBe(1);
});

test("a secret that is kept is not shown, and stays as it is when nothing is typed", async () => {
  const requests = {
    shutdown: { method: "POST", url: "http://10.0.0.9/off", body: null, contentType: "text/plain" },
  } as const;
  const { sent } = await open({ method: { type: "http", requests }, secretsSet: ["headers"], publicKey: null });
  await expect.element(field("Headers")).toHaveValue("");
  await expect.element(field("Headers")).toHaveAccessibleDescription(/Some are kept/);
  await userEvent.click(button("Save"));
  await expect.poll(sent).toEqual([{ method: { type: "http", requests }, secrets: {} }]);
});

test("headers are a name and a value in a line, and one that is none is said to be so", async () => {
  const { sent } = await open();
  await userEvent.selectOptions(page.getByLabelText("How"), "HTTP: call an address");
  await userEvent.fill(field("Headers"), "Bearer abc");
  await userEvent.click(button("Save"));
  await expect.element(field("Headers")).toHaveAccessibleDescription(/without a name and a colon/);
  await userEvent.fill(field("Headers"), "Authorization: Bearer abc\n\nX-Site: a:b");
  await userEvent.click(button("Save"));
  await expect.poll(sent).toEqual([
    {
      method: { type: "http", requests: {} },
      secrets: { headers: { Authorization: "Bearer abc", "X-Site": "a:b" } },
    },
  ]);
});

test("a plug says what it needs, and what the hub refuses stands at its field", async () => {
  const { hub, sent, closed } = await open();
  await userEvent.selectOptions(page.getByLabelText("How"), "MQTT: a smart plug, or anything that listens");
  hub.answers(PUT, () =>
    problem("INVALID_INPUT", "Wrong", [{ path: "method.topic", message: "is no topic name" }], 422),
  );
  await userEvent.fill(field("Topic of the command"), "cmnd/+/POWER");
  await userEvent.fill(field("Shut down"), "OFF");
  await userEvent.click(button("Save"));
  await expect.element(field("Topic of the command")).toHaveAccessibleDescription(/is no topic name/);
  hub.answers(PUT, () => json(NONE));
  await userEvent.fill(field("Topic of the command"), "cmnd/plug/POWER");
  await userEvent.click(page.getByText("Watts", { exact: true }));
  await userEvent.fill(field("Off below (watts)"), "4.5");
  await userEvent.click(button("Save"));
  await expect.poll(() => closed.length).toBe(1);
  expect(sent().at(-1)).toMatchObject({
    method: { type: "mqtt", topic: "cmnd/plug/POWER", payloads: { shutdown: "OFF" }, stateOn: "ON", standbyWatts: 4.5 },
  });
});
