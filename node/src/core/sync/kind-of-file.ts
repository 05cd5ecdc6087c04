/** The kind of a file's rows by its name: its leading part (`qualification-….csv`), or one behind a hyphen (`2026-credit.csv`). */
export function kindOfName(name: string, kinds: readonly string[]): string | undefined {
  const plain = name.toLowerCase();
  return kinds.find((candidate) => plain.startsWith(candidate) || plain.includes(`-${candidate}`));
}
