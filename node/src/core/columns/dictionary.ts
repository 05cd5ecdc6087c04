/** Texts as small numbers, in the order in which they were first seen. */
export class Dictionary {
  private readonly codes = new Map<string, number>();
  private readonly texts: string[] = [];

  /** @param most codes there may be; once it is full, its last code stands for every further text */
  public constructor(private readonly most = 65_536) {}

  public get size(): number {
    return this.texts.length;
  }

  public codeOf(text: string): number {
    const known = this.codes.get(text);
    if (known !== undefined) return known;
    if (this.texts.length === this.most) return this.most - 1;
    this.codes.set(text, this.texts.length);
    return this.texts.push(text) - 1;
  }

  public find(text: string): number | undefined {
    return this.codes.get(text);
  }

  public text(code: number): string {
    return this.texts[code] ?? '';
  }
}
