import { bundledKind, GovernedCodes, ProtocolError, type CodesInUse, type CompiledKind, type JsonObject } from '@huilian/protocol';
import type { ExaminingTerms } from './adopted-kinds.js';
import { compileKind } from './compile-kind.js';

/** Kinds and code sets as a thread was told of them; what it was not told, it leaves to the thread that reads the ledger. */
export class ToldKinds {
  private readonly compiled = new Map<string, CompiledKind | undefined>();
  private governed = new GovernedCodes([]);

  public hear(documents: readonly (readonly [string, JsonObject])[], codeSets: ExaminingTerms['codeSets'] | undefined): void {
    for (const [key, document] of documents) this.compiled.set(key, usable(document));
    if (codeSets !== undefined) this.governed = new GovernedCodes(codeSets);
  }

  public codesOn(today: string): CodesInUse {
    return { governed: this.governed, today };
  }

  public find(kind: string, version: number | undefined): CompiledKind | undefined {
    if (version === undefined) return undefined;
    const key = `${kind}/${String(version)}`;
    if (!this.compiled.has(key)) this.compiled.set(key, bundledKind(kind, version));
    return this.compiled.get(key);
  }
}

function usable(document: JsonObject): CompiledKind | undefined {
  try {
    return compileKind(document);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
