/** A text in both languages; `{name}` in it stands for a value. */
export interface Title {
  readonly en: string;
  readonly zh: string;
}

/** Texts by `group.name`. */
export type Texts = Readonly<Record<`${string}.${string}`, Title>>;
