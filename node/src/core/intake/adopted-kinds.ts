import { bundledKinds, documentDigest, kindDefinition, ProtocolError, type KindDefinition } from '@huilian/protocol';
import type { ReadModel } from '../indexing/read-model.js';

/** Kinds that this software knows and the consortium adopted: the same document, by digest. */
export class AdoptedKinds {
  private readonly adopted = new Map<string, KindDefinition>();

  public constructor(private readonly readModel: ReadModel) {}

  /** The definition of a kind and version, or the newest adopted one. @throws SCHEMA_UNKNOWN {kind, version, reason} */
  public find(kind: string, version?: number): KindDefinition {
    if (version !== undefined) return this.exact(kind, version);
    const versions = bundledKinds().filter((definition) => definition.kind === kind).map((definition) => definition.version);
    for (const candidate of versions.sort((left, right) => right - left)) {
      if (this.adopted.has(`${kind}/${String(candidate)}`) || this.readModel.schema(kind, candidate) !== undefined) return this.exact(kind, candidate);
    }
    throw new ProtocolError('SCHEMA_UNKNOWN', { kind, reason: versions.length === 0 ? 'not-bundled' : 'not-adopted' });
  }

  private exact(kind: string, version: number): KindDefinition {
    const key = `${kind}/${String(version)}`;
    const known = this.adopted.get(key);
    if (known !== undefined) return known;
    const definition = kindDefinition(kind, version);
    if (definition === undefined) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version, reason: 'not-bundled' });
    const onLedger = this.readModel.schema(kind, version);
    if (onLedger === undefined) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version, reason: 'not-adopted' });
    if (onLedger.digest !== documentDigest(definition.document)) throw new ProtocolError('SCHEMA_UNKNOWN', { kind, version, reason: 'other-document' });
    // An adopted document never changes, so it is compared once.
    this.adopted.set(key, definition);
    return definition;
  }
}
