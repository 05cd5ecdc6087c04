/**
 * Hears every refusal that a HTTP door gives in this process, and every line of a publishing stream's answer, whoever
 * called: a test by hand, the SDK, the operator's commands in process.
 */
export class HeardAnswers {
  private readonly collected: string[] = [];
  private readonly real = globalThis.fetch;

  public listen(): void {
    globalThis.fetch = async (...args) => {
      const response = await this.real(...args);
      const told = !response.ok || (response.headers.get('content-type') ?? '').includes('ndjson');
      if (told) void response.clone().text().then((text) => this.collected.push(text), () => undefined);
      return response;
    };
  }

  public stop(): readonly string[] {
    globalThis.fetch = this.real;
    return this.collected;
  }
}
