/** What a spreadsheet takes for the beginning of a formula (OWASP, CSV injection; the wide forms for East Asian locales), behind quotes of an earlier turn or none. */
const formula = /^'*[=+\-@\t\r＝＋－＠]/;

/** A cell that no spreadsheet runs: a quote stands before what would be a formula. */
export function neutralCell(cell: string): string {
  return formula.test(cell) ? `'${cell}` : cell;
}

/** The cell as it was before `neutralCell`. */
export function plainCell(cell: string): string {
  return cell.startsWith("'") && formula.test(cell) ? cell.slice(1) : cell;
}
