import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';

/** GB18030 is told from UTF-8 only by the first characters that are not ASCII, which may come late: `undecided` until then. */
export type TextEncoding = 'gb18030' | 'undecided' | 'utf-16be' | 'utf-16le' | 'utf-8';

const headBytes = 4096;
/** Of the bytes of a UTF-16 file that is not all Chinese, so many are zero. */
const zeroShare = 0.2;
/** UTF-8 has three bytes for most Chinese characters; that GB18030 text looks like two of them and nothing else is no accident. */
const threeByteCharacters = /[\u0800-\uffff][^\u0800-\uffff]*[\u0800-\uffff]/;

/** By the byte order mark, else by the zero bytes of UTF-16. */
export async function detectEncoding(file: string): Promise<TextEncoding> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return encodingOfHead(buffer.subarray(0, bytesRead));
  } finally {
    await handle.close();
  }
}

const marks: readonly (readonly [mark: Buffer, encoding: TextEncoding])[] = [
  [Buffer.from([0xff, 0xfe]), 'utf-16le'],
  [Buffer.from([0xfe, 0xff]), 'utf-16be'],
  [Buffer.from([0xef, 0xbb, 0xbf]), 'utf-8'],
];

function encodingOfHead(head: Buffer): TextEncoding {
  const marked = marks.find(([mark]) => head.subarray(0, mark.length).equals(mark))?.[1];
  if (marked !== undefined) return marked;
  const zeros = [0, 0];
  for (const [index, byte] of head.entries()) if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const many = (head.length / 2) * zeroShare;
  if (odd > many && odd > even) return 'utf-16le';
  return even > many && even > odd ? 'utf-16be' : 'undecided';
}

/** Decodes rows, deciding between UTF-8 and GB18030 at the first that are not ASCII. UTF-16 comes to it as UTF-8 already. */
export class CellDecoder {
  private readonly gb18030 = new TextDecoder('gb18030', { fatal: true });

  public constructor(private known: TextEncoding) {}

  public get encoding(): TextEncoding {
    return this.known;
  }

  /** Bytes of UTF-8, or text; undefined where the bytes are not of the file's encoding. */
  public decode(bytes: Buffer, rows: readonly Buffer[] = [bytes]): Buffer | string | undefined {
    if (this.known === 'undecided') this.decide(rows);
    if (this.known === 'gb18030') return rows.some(isForeign) ? undefined : this.decodeGb18030(bytes);
    return isUtf8(bytes) ? bytes : undefined;
  }

  /** What most of the rows are that are not ASCII. */
  private decide(rows: readonly Buffer[]): void {
    const telling = rows.filter((row) => row.some((byte) => byte > 0x7f));
    if (telling.length === 0) return;
    const unicode = telling.filter((row) => isUtf8(row)).length;
    this.known = unicode * 2 >= telling.length ? 'utf-8' : 'gb18030';
  }

  private decodeGb18030(bytes: Buffer): string | undefined {
    try {
      return this.gb18030.decode(bytes);
    } catch {
      return undefined;
    }
  }
}

/** UTF-8 in a file of GB18030, which could be read as other characters there without a complaint. */
function isForeign(bytes: Buffer): boolean {
  return isUtf8(bytes) && threeByteCharacters.test(bytes.toString('utf8'));
}
