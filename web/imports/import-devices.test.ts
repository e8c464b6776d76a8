import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import type { ImportItem, ImportPreview, ImportResult } from "#contracts/api/imports.ts";
import { heard, mounted } from "../fixtures/mounted.ts";
import { cluster, freshId } from "../fixtures/rows.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { ImportDevices } from "./import-devices.ts";

const PREVIEW = "POST /imports/preview";
const APPLY = "POST /imports";
const dialog = page.getByRole("dialog", { name: "Import devices" });
const text = dialog.getByLabelText("Or its text");
const format = dialog.getByLabelText("Format");
const button = (name: string | RegExp) => dialog.getByRole("button", { name });

const mac = (last: number) => `02:00:00:00:00:0${last}` as ImportItem["mac"] & string;
const ref = { id: freshId(), key: "nas", name: "NAS" };

function items(): ImportItem[] {
  const found = { notes: [] };
  const address = { field: "address" as const, from: "10.0.0.1", to: null };
  return [
    {
      ...found,
      action: "create",
      line: 1,
      mac: mac(1),
      name: "PC",
      differences: [
        { field: "name", from: null, to: "PC" },
        { field: "address", from: null, to: "pc.lan" },
      ],
      version: "v1",
      notes: ["Home Assistant turned it off by script.off."],
    },
    { ...found, action: "create", line: 2, mac: mac(2), name: "TV", differences: [], version: "v2" },
    {
      ...found,
      action: "change",
      line: 3,
      mac: mac(3),
      name: "NAS",
      differences: [address],
      version: "v3",
      device: ref,
    },
    { ...found, action: "impossible", line: 4, mac: null, name: "?", problem: "It has no MAC address." },
    { ...found, action: "unchanged", line: 5, mac: mac(5), name: "Printer", device: { ...ref, name: "Printer" } },
  ] as ImportItem[]; // brands, such as the MAC address, are made by parsing
}

async function openDialog(preview: ImportPreview = { items: items(), notes: ["The column “x” is left out."] }) {
  const hub = scriptedHub();
  hub.answers(PREVIEW, () => json(preview));
  const home = cluster({ name: "Home" });
  const element = await mounted(ImportDevices, { clusters: new Map([[home.id, home]]) });
  return { hub, element, home, closed: heard(element, "closed") };
}

async function openPreview(preview?: ImportPreview) {
  const opened = await openDialog(preview);
  await userEvent.fill(text, `${mac(1)} pc`);
  await userEvent.click(button("Preview"));
  return opened;
}

describe("importing", () => {
  test("guesses the format of what is pasted, and asks for a preview into the only cluster", async () => {
    const { hub, home } = await openPreview();
    await expect.element(button("Import 2 devices")).toBeVisible();
    expect(hub.bodiesOf(PREVIEW)).toEqual([{ format: "ethers", text: `${mac(1)} pc`, clusterId: home.id }]);
  });

  test("keeps to a format that somebody chose", async () => {
    const { hub } = await openDialog();
    await userEvent.selectOptions(format, "dnsmasq");
    await userEvent.fill(text, `${mac(1)} pc`);
    await expect.element(format).toHaveValue("dnsmasq");
    await userEvent.click(button("Preview"));
    await expect.poll(() => hub.bodiesOf(PREVIEW)).toMatchObject([{ format: "dnsmasq" }]);
  });

  test("reads a file, and guesses by its name, too", async () => {
    await openDialog();
    await userEvent.upload(dialog.getByLabelText("File"), new File(["mac;name\n"], "list.csv"));
    await expect.element(text).toHaveValue("mac;name\n");
    await expect.element(format).toHaveValue("csv");
  });

  test("reads files of spreadsheets on Windows", async () => {
    await openDialog();
    await userEvent.upload(
      dialog.getByLabelText("File"),
      new File([new Uint8Array([0x42, 0xfc, 0x72, 0x6f])], "x.csv"),
    );
    await expect.element(text).toHaveValue("Büro");
  });

  test("says that a file is too large, and that there is no text", async () => {
    const { hub } = await openDialog();
    await userEvent.upload(dialog.getByLabelText("File"), new File([new Uint8Array(512 * 1024 + 1)], "all.json"));
    await expect.element(dialog.getByText("all.json is larger than 512 KiB. Import a part of it.")).toBeVisible();
    await userEvent.click(button("Preview"));
    await expect.element(dialog.getByText("This is empty; choose a file, or paste its text.")).toBeVisible();
    expect(hub.calls).toEqual([]);
  });

  test("shows what is new, what would change and how, and what cannot be", async () => {
    await openPreview();
    await expect.element(dialog.getByText("The column “x” is left out.")).toBeVisible();
    const box = (name: string) => dialog.getByRole("checkbox", { name, exact: true });
    await expect.element(box("PC")).toBeChecked();
    await expect.element(box("TV")).toBeChecked();
    await expect.element(box("NAS")).not.toBeChecked();
    await expect.element(dialog.getByText("pc.lan")).toBeVisible();
    await expect.element(dialog.getByText("Home Assistant turned it off by script.off.")).toBeVisible();
    await expect
      .element(dialog.getByRole("list", { name: "Changes" }))
      .toHaveTextContent("NAS 02:00:00:00:00:03 line 3 Address was 10.0.0.1 → becomes empty");
    await expect.element(dialog.getByText("It has no MAC address.")).toBeVisible();
    await expect.element(dialog.getByText("Printer")).not.toBeVisible();
  });

  test("applies what is chosen with its version, and tells what became of each", async () => {
    const { hub, closed } = await openPreview();
    const result: ImportResult = {
      items: [
        { mac: mac(2), outcome: "created", device: { ...ref, name: "TV" }, reason: null },
        { mac: mac(3), outcome: "conflict", device: null, reason: "It is another one by now." },
      ] as ImportResult["items"],
    };
    hub.answers(APPLY, () => json(result));
    await userEvent.click(dialog.getByRole("checkbox", { name: "PC", exact: true }));
    await userEvent.click(dialog.getByRole("checkbox", { name: "NAS", exact: true }));
    await userEvent.click(button("Import 2 devices"));
    await expect.element(dialog.getByText("1 device added, 1 not done")).toBeVisible();
    await expect.element(dialog.getByText("It is another one by now.")).toBeVisible();
    expect(hub.bodiesOf(APPLY)).toMatchObject([
      {
        format: "ethers",
        chosen: [
          { mac: mac(2), version: "v2" },
          { mac: mac(3), version: "v3" },
        ],
      },
    ]);
    hub.answers(PREVIEW, () => problem("DATABASE_UNAVAILABLE", "The database does not answer", [], 503));
    await userEvent.click(button("Preview again"));
    await expect.element(dialog.getByText("The database does not answer")).toBeVisible();
    hub.answers(PREVIEW, () => json({ items: items(), notes: [] }));
    await userEvent.click(button("Preview again"));
    await expect.element(button("Import 2 devices")).toBeVisible();
    expect(closed).toEqual([]);
  });

  test("is over with Done, without a question", async () => {
    const { hub, closed } = await openPreview();
    hub.answers(APPLY, () => json({ items: [] }));
    await userEvent.click(button("Import 2 devices"));
    await userEvent.click(button("Done"));
    await expect.poll(() => closed).toHaveLength(1);
  });

  test("chooses all of a kind, or none", async () => {
    await openPreview();
    const all = dialog.getByRole("checkbox", { name: "All of “New”" });
    await expect.element(all).toBeChecked();
    await userEvent.click(dialog.getByRole("checkbox", { name: "PC", exact: true }));
    await expect.element(all).toBePartiallyChecked();
    await userEvent.click(all);
    await expect.element(button("Import 2 devices")).toBeVisible();
    await userEvent.click(all);
    await userEvent.click(button("Import nothing"));
    await expect.element(dialog.getByText("Choose at least one device.")).toBeVisible();
  });

  test("keeps the text when somebody goes back, and asks before it is lost", async () => {
    const { closed } = await openPreview();
    await userEvent.click(button("Back"));
    await expect.element(text).toHaveValue(`${mac(1)} pc`);
    await userEvent.keyboard("{Escape}");
    await expect.element(dialog.getByText("Discard what you typed?")).toBeVisible();
    expect(closed).toEqual([]);
    await userEvent.click(button("Discard"));
    await expect.poll(() => closed).toHaveLength(1);
  });

  test("stays as it is when the hub refuses, and says why", async () => {
    const { hub } = await openPreview();
    hub.answers(APPLY, () => problem("DATABASE_UNAVAILABLE", "The database does not answer", [], 503));
    await userEvent.click(button("Import 2 devices"));
    await expect.element(dialog.getByText("The database does not answer")).toBeVisible();
    await expect.element(button("Import 2 devices")).toBeVisible();
  });

  test("says that nothing was found", async () => {
    await openPreview({ items: [], notes: [] });
    await expect.element(dialog.getByText("No device was found in it. Is it of this format?")).toBeVisible();
  });

  test("is over where all is as it is told already", async () => {
    const { closed } = await openPreview({ items: items().filter(({ action }) => action === "unchanged"), notes: [] });
    await expect.element(dialog.getByText("All of it is here already; there is nothing to import.")).toBeVisible();
    await userEvent.click(button("Done"));
    await expect.poll(() => closed).toHaveLength(1);
  });
});
