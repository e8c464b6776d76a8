import { once } from "node:events";
import net from "node:net";
import { Aedes } from "aedes";
import { tell } from "./child.ts";

/**
 * The library that the embedded broker is built on, without anything of ours: the floor of what it can do.
 *
 * Two settings keep that floor honest. Nagle's algorithm, and the default bound of 100 messages in work, which collapses
 * under overload, would otherwise be what is measured.
 */
const aedes = await Aedes.createBroker({ concurrency: 0 });
const server = net.createServer({ noDelay: true }, aedes.handle);
server.listen(0, "127.0.0.1");
await once(server, "listening");
tell({ type: "listening", port: (server.address() as net.AddressInfo).port });
