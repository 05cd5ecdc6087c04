import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** A cell as a sheet holds it: a text, a number, or the XML of it. */
export type WorkbookCell = number | string | { readonly xml: string };

const head = '<?xml version="1.0" encoding="UTF-8"?>';
const main = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const relations = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
/** Styles 0: general, 1: a built-in date, 2: a date of its own, 3: an amount. */
const styles = `${head}<styleSheet xmlns="${main}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/><numFmt numFmtId="165" formatCode="#,##0.00&quot;元&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>`;

export interface WorkbookOptions {
  readonly sheets?: readonly { readonly name: string; readonly hidden?: boolean }[];
  readonly is1904?: boolean;
  /** In place of the XML of the sheet's rows. */
  readonly sheetXml?: string;
}

/** Writes an .xlsx file as spreadsheets do, the texts of cells shared. */
export async function makeWorkbook(file: string, rows: readonly (readonly WorkbookCell[])[], { is1904 = false, sheetXml, sheets = [{ name: 'Sheet1' }] }: WorkbookOptions = {}): Promise<void> {
  const texts: string[] = [];
  const cellXml = (cell: WorkbookCell, reference: string): string => {
    if (typeof cell === 'object') return cell.xml.replace('<c', `<c r="${reference}"`);
    if (typeof cell === 'number') return `<c r="${reference}"><v>${String(cell)}</v></c>`;
    return `<c r="${reference}" t="s"><v>${String(texts.push(`<si><t xml:space="preserve">${escape(cell)}</t></si>`) - 1)}</v></c>`;
  };
  const rowsXml = rows.map((cells, line) => `<row r="${String(line + 1)}">${cells.map((cell, column) => cellXml(cell, `${String.fromCharCode(65 + column)}${String(line + 1)}`)).join('')}</row>`);
  const zip = new ZipFile();
  const add = (name: string, xml: string): void => { zip.addBuffer(Buffer.from(xml), name); };
  add('[Content_Types].xml', `${head}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`);
  add('xl/workbook.xml', `${head}<workbook xmlns="${main}" xmlns:r="${relations}"><workbookPr${is1904 ? ' date1904="1"' : ''}/><sheets>${sheets.map(({ hidden, name }, index) => `<sheet name="${name}" sheetId="${String(index + 1)}"${hidden === true ? ' state="hidden"' : ''} r:id="rId${String(index + 1)}"/>`).join('')}</sheets></workbook>`);
  add('xl/_rels/workbook.xml.rels', `${head}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${sheets.map((_, index) => `<Relationship Id="rId${String(index + 1)}" Type="${relations}/worksheet" Target="worksheets/sheet${String(index + 1)}.xml"/>`).join('')}</Relationships>`);
  add('xl/styles.xml', styles);
  const shown = sheets.findIndex(({ hidden }) => hidden !== true) + 1;
  const xml = sheetXml ?? `${head}<worksheet xmlns="${main}"><sheetData>${rowsXml.join('')}</sheetData></worksheet>`;
  add(`xl/worksheets/sheet${String(shown)}.xml`, xml);
  add('xl/sharedStrings.xml', `${head}<sst xmlns="${main}">${texts.join('')}</sst>`);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
