const widest = 40;

/** Columns a person can read beside each other: Chinese characters take two places, long cells are cut. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const last = head.length - 1;
  const whole = [head, ...rows].map((row) => row.map((cell, index) => shortened(cell.replace(/\s+/g, ' '), index === last ? 120 : widest)));
  const widths = head.map((_, index) => Math.max(...whole.map((row) => widthOf(row[index] ?? ''))));
  return whole.map((row) => row.map((cell, index) => (index === last ? cell : cell + ' '.repeat((widths[index] ?? 0) - widthOf(cell)))).join('  ').trimEnd());
}

function widthOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]/.test(character) ? 2 : 1), 0);
}

function shortened(text: string, most: number): string {
  if (widthOf(text) <= most) return text;
  let cut = '';
  for (const character of text) {
    if (widthOf(cut) + widthOf(character) >= most) break;
    cut += character;
  }
  return `${cut}…`;
}
