/** Something that the person who runs the agent can mend. The message is one sentence for them. */
export class AgentError extends Error {
  override readonly name = "AgentError";
}
