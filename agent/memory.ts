import { setFlagsFromString } from "node:v8";

// Imported before everything else. V8 would let the space for new objects grow to 16 MiB and keep it;
// an agent is idle nearly always and lives on small machines beside other things.
setFlagsFromString("--semi-space-growth-factor=1");
