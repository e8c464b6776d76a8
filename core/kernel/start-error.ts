/** A start that cannot go on, in one sentence for the operator. Everything else that stops a start is a bug. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
  }
}
