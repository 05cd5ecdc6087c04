/** A key of the vault by its name: the holder's own, then `#2`, `#3` … after each erasing. */
export function holderKeyName(holder: string, generation: number): string {
  return generation === 1 ? holder : `${holder}#${String(generation)}`;
}

export function readHolderKeyName(name: string): { readonly holder: string; readonly generation: number } {
  const at = name.lastIndexOf('#');
  return at === -1 ? { holder: name, generation: 1 } : { holder: name.slice(0, at), generation: Number(name.slice(at + 1)) };
}
