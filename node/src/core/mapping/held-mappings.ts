import { canonicalBytes, documentDigest, fromUtf8, mappedPlan, mappingNameShape, ProtocolError, readMapping, type ImportPlan, type KindDefinition, type MappingDocument } from '@huilian/protocol';
import type { Clock, Store } from '../ports.js';

/** A mapping as the node holds it under its name. */
export interface HeldMapping {
  readonly name: string;
  /** Unix seconds of the last change. */
  readonly at: number;
  readonly digest: string;
  readonly document: MappingDocument;
}

/** Finds a mapping by its name; undefined where there is none. */
export type MappingLookup = (name: string) => MappingDocument | undefined;

const prefix = 'mapping/';
/** Every thread that examines rows holds them all. */
const mostMappings = 500;
const mostBytes = 256 * 1024;

/** The mappings of a node by name: part of its data, so of its backups. */
export class HeldMappings {
  private constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    private held: ReadonlyMap<string, HeldMapping>,
  ) {}

  public static async open(store: Store, clock: Clock): Promise<HeldMappings> {
    const held = new Map<string, HeldMapping>();
    for await (const [key, bytes] of store.entries({ gte: prefix, lt: `${prefix}~` })) held.set(key.slice(prefix.length), JSON.parse(fromUtf8(bytes)) as HeldMapping);
    return new HeldMappings(store, clock, held);
  }

  /** By name. A change makes a new map, so that what was handed out stays as it was. */
  public get all(): ReadonlyMap<string, HeldMapping> {
    return this.held;
  }

  public list(): readonly HeldMapping[] {
    return [...this.held.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** @throws MAPPING_UNKNOWN {mapping} */
  public find(name: string): HeldMapping {
    const found = this.held.get(name);
    if (found === undefined) throw new ProtocolError('MAPPING_UNKNOWN', { mapping: mappingNameShape.read(name, '/mapping') });
    return found;
  }

  public readonly lookUp: MappingLookup = (name) => this.held.get(name)?.document;

  /** Holds a mapping that fits its kind, in place of one of the same name. @throws BAD_FIELD, UNKNOWN_FIELD, MAPPING_INVALID */
  public async put(name: string, kind: KindDefinition, document: unknown): Promise<HeldMapping> {
    mappingNameShape.read(name, '/name');
    const read = readMapping(kind, document);
    const bytes = canonicalBytes(read);
    if (bytes.length > mostBytes) throw new ProtocolError('BAD_FIELD', { path: '', reason: 'too-long', most: mostBytes });
    if (!this.held.has(name) && this.held.size >= mostMappings) throw new ProtocolError('BAD_FIELD', { path: '/name', reason: 'too-many-mappings', most: mostMappings });
    const mapping: HeldMapping = { name, at: Math.floor(this.clock.now() / 1000), digest: documentDigest(read), document: read };
    await this.store.write([{ key: prefix + name, value: canonicalBytes(mapping) }]);
    this.held = new Map([...this.held, [name, mapping]]);
    return mapping;
  }

  /** @throws MAPPING_UNKNOWN */
  public async remove(name: string): Promise<void> {
    this.find(name);
    await this.store.write([{ key: prefix + name, remove: true }]);
    this.held = new Map([...this.held].filter(([held]) => held !== name));
  }
}

const plans = new WeakMap<MappingDocument, ImportPlan>();

/** How a mapping reads rows of its kind, compiled once. */
export function planFor(kind: KindDefinition, document: MappingDocument): ImportPlan {
  let plan = plans.get(document);
  if (plan?.kind !== kind) {
    plan = mappedPlan(kind, document);
    plans.set(document, plan);
  }
  return plan;
}
