/** Something that the person who runs the agent can mend. The message is one sentence for them. */
export class AgentError extends Error {
  override readonly name = "AgentError";
}

/** The hub did not answer, or not yet: the same request may succeed a while later. */
export class HubNotReady extends AgentError {}
