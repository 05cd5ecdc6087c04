import { kindColumns, type KindColumn } from '../export/kind-columns.js';
import type { ReadModel } from '../indexing/read-model.js';
import type { MirrorTable } from './ports.js';

/** Kinds whose records say no more than that they are there. */
const sealedKind = 'sealed';

/** The tables that adopted kinds need. Personal fields are columns only where the configuration names them: `kind/claim.field`. */
export class MirrorTables {
  private tables: readonly MirrorTable[] = [];
  /** Kinds and versions that the tables are for. */
  private made = '';

  public constructor(
    private readonly readModel: ReadModel,
    private readonly personal: readonly string[],
  ) {}

  /** What a generation is made for. */
  public get settings(): string {
    return [...this.personal].sort().join(' ');
  }

  /** The tables as they must be now; undefined where they are as at the last call. */
  public async changed(): Promise<readonly MirrorTable[] | undefined> {
    const schemas = await this.readModel.schemas();
    const wanted = schemas.map(({ kind, version }) => `${kind}/${String(version)}`).sort().join(' ');
    if (wanted === this.made) return undefined;
    const kinds = [...new Set(schemas.map(({ kind }) => kind))].sort();
    const tables: MirrorTable[] = [{ kind: sealedKind, columns: [] }];
    for (const kind of kinds) tables.push({ kind, columns: (await kindColumns(this.readModel, kind)).filter((column) => this.isWanted(kind, column)) });
    this.tables = tables;
    this.made = wanted;
    return tables;
  }

  /** Of the last call of `changed`. */
  public columns(kind: string): readonly KindColumn[] | undefined {
    return this.tables.find((table) => table.kind === kind)?.columns;
  }

  /** Another session may stand before other tables. */
  public forget(): void {
    this.made = '';
  }

  private isWanted(kind: string, { path, personal }: KindColumn): boolean {
    return !personal || this.personal.includes(`${kind}/${path}`);
  }
}
