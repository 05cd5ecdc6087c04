/** Runs tasks one after another in the order they came. */
export class Mutex {
  private tail: Promise<unknown> = Promise.resolve();

  public async run<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.tail.then(task);
    this.tail = turn.catch(() => undefined);
    return await turn;
  }
}
