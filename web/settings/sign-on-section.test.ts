import { describe, expect, test } from "vitest";
import { page, userEvent } from "vitest/browser";
import { focused, heard, mounted } from "../fixtures/mounted.ts";
import { json, problem, scriptedHub } from "../fixtures/scripted-hub.ts";
import { SIGN_ON } from "../fixtures/settings-rows.ts";
import { SignOnSection } from "./sign-on-section.ts";

const REDIRECT = "https://hub.example.org/api/auth/callback";
const LOGOUT = "https://hub.example.org/login";
const button = (name: string) => page.getByRole("button", { name, exact: true });
const field = (name: string) => page.getByRole("textbox", { name });
const unfold = (title: string) => userEvent.click(page.getByText(title, { exact: true }));
const fact = (name: string) =>
  page.getByRole("term").filter({ hasText: name }).element().nextElementSibling?.textContent;

async function open(settings: typeof SIGN_ON | null = SIGN_ON) {
  const hub = scriptedHub();
  const answer = {
    enabled: settings?.enabled ?? false,
    name: settings?.name ?? null,
    redirectUri: REDIRECT,
    logoutRedirectUri: LOGOUT,
    settings,
  };
  hub.answers("GET /config/oidc", () => json(answer));
  hub.answers("PUT /config/oidc", () => json(answer));
  await mounted(SignOnSection);
  return { hub, toasts: heard(globalThis, "toast"), sent: () => hub.bodiesOf("PUT /config/oidc") };
}

describe("the sign-on settings", () => {
  test("tell how people log in, and what the provider has to know", async () => {
    await open();
    await expect.element(page.getByText(/log-in page offers “Log in with Authentik”/)).toBeVisible();
    await expect.element(page.getByText(REDIRECT)).toBeVisible();
    await expect.element(page.getByText(LOGOUT)).toBeVisible();
    expect(fact("Issuer")).toBe("https://auth.example.org/");
    expect(fact("Client secret")).toBe("kept");
    expect(fact("Whoever is new")).toBe("gets an account, with an address of example.org");
    expect(fact("Role")).toBe("by the claim groups, else Viewer");
  });

  test("tell that it is off", async () => {
    await open({ ...SIGN_ON, enabled: false });
    await expect.element(page.getByText(/^Off: nobody can log in/)).toBeVisible();
  });

  test("that were never made begin with what the provider has to know", async () => {
    const { sent, toasts } = await open(null);
    await expect.element(page.getByText(REDIRECT)).toBeVisible();
    await userEvent.click(button("Set up"));
    await userEvent.fill(field("Name"), "Authentik");
    await userEvent.fill(field("Issuer"), "https://auth.example.org/");
    await userEvent.fill(field("Client identifier"), "powerbeacon");
    await userEvent.fill(page.getByLabelText("Client secret"), " s3cret ");
    await userEvent.click(button("Save"));
    await expect.poll(() => toasts).toHaveLength(1);
    expect(sent()).toEqual([
      {
        enabled: true,
        name: "Authentik",
        issuer: "https://auth.example.org/",
        clientId: "powerbeacon",
        clientSecret: " s3cret ",
        scopes: ["openid", "profile", "email"],
        autoProvision: false,
        allowedDomains: [],
        roleClaim: null,
        roleMapping: [],
        defaultRole: "viewer",
      },
    ]);
  });
});

describe("editing the sign-on settings", () => {
  const edit = async (settings = SIGN_ON) => {
    const opened = await open(settings);
    await userEvent.click(button("Edit"));
    return opened;
  };

  test("turns it off, and sends nothing else", async () => {
    const { sent } = await edit();
    await userEvent.click(page.getByRole("checkbox", { name: "On", exact: true }));
    await userEvent.click(button("Save"));
    await expect.poll(sent).toEqual([{ enabled: false }]);
  });

  test("never shows the secret, and keeps it when nothing is typed", async () => {
    const { sent } = await edit();
    const secret = page.getByLabelText("Client secret", { exact: true });
    await expect.element(secret).toHaveValue("");
    await expect.element(secret).toHaveAttribute("placeholder", "kept; type to replace it");
    await userEvent.fill(field("Name"), "Keycloak");
    await userEvent.click(button("Save"));
    await expect.poll(sent).toEqual([{ name: "Keycloak" }]);
  });

  test("replaces the secret, or forgets it when told so", async () => {
    const { sent } = await edit();
    await userEvent.fill(page.getByLabelText("Client secret", { exact: true }), "new");
    await userEvent.click(button("Save"));
    await expect.poll(sent).toEqual([{ clientSecret: "new" }]);
    await userEvent.click(button("Edit"));
    await userEvent.click(page.getByRole("checkbox", { name: "Forget the client secret" }));
    await userEvent.click(button("Save"));
    await expect.poll(() => sent().at(-1)).toEqual({ clientSecret: null });
  });

  test("maps values of a claim to roles, and takes them away", async () => {
    const { sent } = await edit();
    await unfold("New accounts and roles");
    await userEvent.click(button("Add a value"));
    await userEvent.fill(field("Value").last(), "ops");
    await userEvent.selectOptions(page.getByRole("combobox", { name: "Role", exact: true }).last(), "Admin");
    await userEvent.click(button("Remove value 1"));
    await userEvent.fill(field("Only with an e-mail address of"), "");
    await userEvent.click(button("Save"));
    await expect.poll(sent).toEqual([{ roleMapping: [{ value: "ops", role: "admin" }], allowedDomains: [] }]);
  });

  test.each([
    ["issuer", "issuer"],
    ["clientId", "clientId"],
    ["roleMapping.0.value", "roleMapping.0.value"],
    ["allowedDomains.0", "allowedDomains"],
    ["scopes.1", "scopes"],
  ])("unfolds what is wrong with %s, and has the focus there", async (path, name) => {
    const { hub } = await edit();
    hub.answers("PUT /config/oidc", () => problem("INVALID_INPUT", "Invalid", [{ path, message: "is odd" }], 422));
    await userEvent.fill(field("Name"), "Keycloak");
    await userEvent.click(button("Save"));
    await expect.poll(focused).toBe(name);
    await expect.element(page.getByText("This is odd.")).toBeVisible();
    await expect.element(field("Name")).toHaveValue("Keycloak");
  });

  test("says what is wrong with the provider, and keeps what was typed", async () => {
    const { hub } = await edit();
    hub.answers("PUT /config/oidc", () => problem("PROVIDER_UNREACHABLE", "The provider does not answer", [], 422));
    await userEvent.fill(field("Issuer"), "https://nowhere.example.org/");
    await userEvent.click(button("Save"));
    await expect.element(page.getByRole("alert")).toMatchTextContent("The provider does not answer");
    await expect.element(field("Issuer")).toHaveValue("https://nowhere.example.org/");
  });
});
