import { bundledKinds, describeClaim, isErrorCode, ProtocolError, purposes, type KindDefinition, type MemberState, type Words } from '@huilian/sdk';

/** What a node's trail says, as far as the page shows it. */
export interface NodeTrail {
  readonly entries: readonly TrailEntry[];
  readonly refusals: readonly { readonly centre: string; readonly refusals: readonly Refusal[] }[];
  /** Centres that did not answer. */
  readonly missing: readonly string[];
}
interface TrailEntry {
  readonly at: number;
  readonly what: string;
  readonly recordIds?: readonly string[];
  readonly publisher?: string;
  readonly reader?: string;
  readonly attester?: string;
  readonly purpose?: string;
  readonly claims?: readonly string[];
  readonly grant?: string;
  readonly code?: string;
}
interface Refusal {
  readonly at: number;
  readonly code: string;
  readonly reader: string;
  readonly recordIds: readonly string[];
}

interface TrailLine {
  /** Unix seconds. */
  readonly at: number;
  readonly what: string;
  /** The other party: reader, publisher or refusing centre. */
  readonly who?: Words;
  readonly data: readonly Words[];
  readonly purpose?: Words;
  /** Why something was refused. */
  readonly code?: string;
  readonly reason?: Words;
  /** A grant that can still be taken back. */
  readonly revocable?: string;
}

export interface TrailInWords {
  readonly lines: readonly TrailLine[];
  readonly missing: readonly Words[];
}

/** Newest first, refusals among the rest, every id as a name where one is known. */
export function trailInWords(trail: NodeTrail, members: readonly MemberState[], kinds: readonly KindDefinition[] = []): TrailInWords {
  const names = new Map(members.map(({ document }) => [document.id, document.name]));
  const nameOf = (id: string): Words => names.get(id) ?? { zh: id, en: id };
  const revoked = new Set(trail.entries.flatMap(({ grant, what }) => (what === 'grant-revoked' && grant !== undefined ? [grant] : [])));
  const fromLedger = trail.entries.map((entry) => lineOf(entry, nameOf, revoked, kinds));
  const fromCentres = trail.refusals.flatMap(({ centre, refusals }) =>
    refusals.map(({ at, code, reader, recordIds }): TrailLine => {
      const [by, to] = [nameOf(centre), nameOf(reader)];
      return { at, what: 'refused-by-centre', who: { zh: `${by.zh} → ${to.zh}`, en: `${by.en} → ${to.en}` }, data: kindsOf(recordIds, kinds), ...reasonOf(code) };
    }),
  );
  return { lines: [...fromLedger, ...fromCentres].reverse().sort((left, right) => right.at - left.at), missing: trail.missing.map(nameOf) };
}

function lineOf(entry: TrailEntry, nameOf: (id: string) => Words, revoked: ReadonlySet<string>, kinds: readonly KindDefinition[]): TrailLine {
  const { at, attester, claims = [], code, grant, publisher, purpose, reader, recordIds = [], what } = entry;
  const party = attester ?? reader ?? publisher;
  const purposeWords = Object.entries(purposes).find(([name]) => name === purpose)?.[1];
  return {
    at,
    what,
    data: claims.length > 0 ? claimsOf(recordIds, claims, kinds) : kindsOf(recordIds, kinds),
    ...(party === undefined ? {} : { who: nameOf(party) }),
    ...(purposeWords === undefined ? {} : { purpose: purposeWords }),
    ...reasonOf(code),
    ...(what === 'opened' && grant !== undefined && !revoked.has(grant) ? { revocable: grant } : {}),
  };
}

function recordKinds(recordIds: readonly string[]): string[] {
  return [...new Set(recordIds.map((id) => id.split('/')[1] ?? ''))];
}

function kindsOf(recordIds: readonly string[], kinds: readonly KindDefinition[]): Words[] {
  return recordKinds(recordIds).map((kind) => [...bundledKinds(), ...kinds].find((known) => known.kind === kind)?.title ?? { zh: kind, en: kind });
}

function claimsOf(recordIds: readonly string[], claims: readonly string[], kinds: readonly KindDefinition[]): Words[] {
  return recordKinds(recordIds).flatMap((kind) =>
    claims.map((claim) => {
      const title = describeClaim(kind, claim, kinds);
      return title === undefined ? { zh: `${kind}/${claim}`, en: `${kind}/${claim}` } : { zh: `${title.kind.zh}：${title.zh}`, en: `${title.kind.en}: ${title.en}` };
    }),
  );
}

function reasonOf(code: string | undefined): { readonly code?: string; readonly reason?: Words } {
  if (code === undefined) return {};
  if (!isErrorCode(code)) return { code };
  const { en, zh } = new ProtocolError(code).entry;
  return { code, reason: { en, zh } };
}
