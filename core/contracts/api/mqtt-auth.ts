import { z } from "zod";

/** What brokers of somebody else's ask, in the forms that they document. What they leave out or cannot tell is empty. */

const text = z.string().nullish();
const client = { username: text, clientid: text };

/** EMQX 5, HTTP password authentication. @see https://docs.emqx.com/en/emqx/latest/access-control/authn/http.html */
export const EmqxAuthenticate = z.object({ ...client, password: text, peerhost: text });
export type EmqxAuthenticate = z.infer<typeof EmqxAuthenticate>;

/** EMQX 5, HTTP authorization. @see https://docs.emqx.com/en/emqx/latest/access-control/authz/http.html */
export const EmqxAuthorize = z.object({
  ...client,
  topic: z.string().describe("a topic, or the filter of a subscription"),
  action: z.enum(["publish", "subscribe"]),
  retain: z.union([z.boolean(), z.string()]).nullish(),
});
export type EmqxAuthorize = z.infer<typeof EmqxAuthorize>;

/** `ignore`: a client that is none of the hub's; the broker asks whoever comes next. */
export const BrokerVerdict = z.enum(["allow", "deny", "ignore"]);
export type BrokerVerdict = z.infer<typeof BrokerVerdict>;

export const EmqxAuthenticated = z.object({ result: BrokerVerdict, is_superuser: z.boolean() });
export const EmqxAuthorized = z.object({ result: BrokerVerdict });

/** mosquitto-go-auth, back end `http`. @see https://github.com/iegomez/mosquitto-go-auth#http */
export const GoAuthUser = z.object({ ...client, password: text });
export const GoAuthSuperuser = z.object({ username: text });
export const GoAuthAcl = z.object({
  ...client,
  topic: z.string(),
  acc: z.coerce.number().int().describe("1 read, 2 write, 3 both, 4 subscribe"),
});

/** `status` looks at the HTTP status, `json` at this. */
export const GoAuthAnswer = z.object({ ok: z.boolean(), error: z.string() });
