import {
  checkReason,
  isJsonObject,
  kindOfClaim,
  keyRotationShape,
  ProtocolError,
  purposes,
  readGrant,
  recordStatementShape,
  recoveryObjectionShape,
  revocationShape,
  statementReasons,
  trailRequestShape,
  verdictWords,
  type Grant,
  type JsonValue,
  type KindDefinition,
  type RecordStatement,
  type Shape,
  type TypedStructName,
} from '@huilian/protocol';

/** One text in both languages. */
export interface Words {
  readonly zh: string;
  readonly en: string;
}

/** What is about to be signed, in words; line by line, in both languages. */
export interface Rendering {
  readonly zh: readonly string[];
  readonly en: readonly string[];
}

/** A claim by its titles (`kind: claim`), and what is in it. */
export interface ClaimWords extends Words {
  readonly fields: readonly Words[];
  /** It holds personal data: names, identity numbers, telephone numbers. */
  readonly personal: boolean;
}

/** The parts of a grant in words, for pages that lay them out themselves. */
export interface GrantWords {
  readonly owner: string;
  /** Member id of the reader, and its name where it is known. */
  readonly grantee: string;
  readonly reader: Words;
  readonly claims: readonly ClaimWords[];
  readonly purpose: Words;
  /** Beijing time. */
  readonly from: Words;
  readonly until: Words;
  readonly maxUses: number;
  /** The owner's own data, to a key of the owner's own: the grantee only passes it on. */
  readonly ownCopy: boolean;
}

/** Member names by id, from the ledger. */
export type MemberNames = Readonly<Record<string, Words>>;

const beijingOffsetSeconds = 8 * 3600;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** Beijing time, spelt here rather than by the machine's locale data: what is signed reads the same everywhere. */
function when(seconds: number): Words {
  const [date = '', time = ''] = new Date((seconds + beijingOffsetSeconds) * 1000).toISOString().split('T');
  const [year = '', month = '', day = ''] = date.split('-');
  const clock = time.slice(0, 5);
  // The month by its name: 03/04 is two different days in English.
  return { zh: `${year}/${month}/${day} ${clock}`, en: `${day} ${months[Number(month) - 1] ?? ''} ${year}, ${clock}` };
}

/** Reads what is to be signed; what does not read has no words. @throws WALLET_UNREADABLE {reason, path?} */
function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { path } = error.details;
    throw new ProtocolError('WALLET_UNREADABLE', { reason: error.code, ...(path === undefined ? {} : { path }) });
  }
}

/** @param kinds adopted kinds that this software does not bring along (`adoptedKinds`) @throws WALLET_UNREADABLE */
export function readableGrant(value: unknown, kinds: readonly KindDefinition[] = []): Grant {
  const grant = readable(() => readGrant(value));
  for (const claim of grant.claims) describe(claim, kinds);
  return grant;
}

function describe(qualified: string, kinds: readonly KindDefinition[]): ClaimWords {
  const [kind = '', claim = ''] = qualified.split('/');
  const definition = kindOfClaim(kind, claim, kinds);
  const title = definition?.claims[claim];
  if (definition === undefined || title === undefined) throw new ProtocolError('WALLET_UNREADABLE', { claim: qualified });
  return {
    zh: `${definition.title.zh}：${title.zh}`,
    en: `${definition.title.en}: ${title.en}`,
    fields: fieldsOf(definition.document['properties'], claim),
    personal: title.personal.length > 0,
  };
}

/** Titles of a claim's fields; of a list's entries where the claim is a list. */
function fieldsOf(claims: JsonValue | undefined, claim: string): Words[] {
  const group = isJsonObject(claims) ? claims[claim] : undefined;
  const entry = isJsonObject(group) && isJsonObject(group['items']) ? group['items'] : group;
  const fields = isJsonObject(entry) ? entry['properties'] : undefined;
  if (!isJsonObject(fields)) return [];
  return Object.entries(fields).map(([name, field]) => {
    const { title, 'x-title-zh': zh } = isJsonObject(field) ? field : {};
    const en = typeof title === 'string' ? title : name;
    return { zh: typeof zh === 'string' ? zh : en, en };
  });
}

/**
 * An owner's grant in words: who may read which claims, for what, from when until when, how often. Throws for anything
 * it cannot name, so that nobody signs what the page could not say. `kinds`: see `adoptedKinds`. @throws WALLET_UNREADABLE
 */
export function describeGrant(value: unknown, names: MemberNames = {}, kinds: readonly KindDefinition[] = []): GrantWords {
  const { claims, expires, grantee, maxUses, notBefore, owner, purpose } = readableGrant(value, kinds);
  return {
    owner,
    grantee,
    reader: nameOf(grantee, names),
    claims: claims.map((claim) => describe(claim, kinds)),
    purpose: purposes[purpose],
    from: when(notBefore),
    until: when(expires),
    maxUses,
    ownCopy: purpose === 'own-copy',
  };
}

function nameOf(member: string, names: MemberNames): Words {
  return (Object.hasOwn(names, member) ? names[member] : undefined) ?? { zh: member, en: member };
}

/** The same line by line. @throws WALLET_UNREADABLE */
export function renderGrant(value: unknown, names: MemberNames = {}, kinds: readonly KindDefinition[] = []): Rendering {
  const { claims, from, grantee, maxUses, owner, ownCopy, purpose, reader, until } = describeGrant(value, names, kinds);
  return {
    zh: [
      `权属人 ${owner}`,
      ownCopy ? `经 ${reader.zh}（${grantee}）取得本人数据，密文只有本钱包的密钥能打开：` : `允许 ${reader.zh}（${grantee}）读取：`,
      ...claims.map(({ personal, zh }) => `　· ${zh}${personal ? '（含个人信息）' : ''}`),
      `用途：${purpose.zh}`,
      `有效期：${from.zh} 至 ${until.zh}（北京时间）`,
      `次数：最多 ${String(maxUses)} 次`,
    ],
    en: [
      `Owner ${owner}`,
      ownCopy ? `has its own data sent through ${reader.en} (${grantee}), which cannot open it:` : `lets ${reader.en} (${grantee}) read:`,
      ...claims.map(({ en, personal }) => `  · ${en}${personal ? ' (holds personal data)' : ''}`),
      `Purpose: ${purpose.en}`,
      `Valid: ${from.en} to ${until.en} (Beijing time)`,
      `Uses: at most ${String(maxUses)}`,
    ],
  };
}

/** Only with a reason that fits. */
const sayableStatement: Shape<RecordStatement> = {
  schema: recordStatementShape.schema,
  read(value, path): RecordStatement {
    const statement = recordStatementShape.read(value, path);
    checkReason(statement, path);
    return statement;
  },
};

function claimsOf({ claims, record }: RecordStatement, kinds: readonly KindDefinition[]): ClaimWords[] {
  return claims.map((claim) => describe(`${record.split('/')[1] ?? ''}/${claim}`, kinds));
}

type Statement = Exclude<TypedStructName, 'Grant'>;
type StatementWords = { readonly [Name in Statement]: { readonly shape: Shape<unknown>; readonly render: (value: never, kinds: readonly KindDefinition[]) => Rendering } };

const statements = {
  Revocation: {
    shape: revocationShape,
    render: ({ grant, owner }: { grant: string; owner: string }) => ({
      zh: [`权属人 ${owner}`, `撤销授权 ${grant}`, '此后任何人不得再凭该授权读取数据，不可恢复。'],
      en: [`Owner ${owner}`, `revokes the grant ${grant}`, 'Nobody reads anything under it any more; this cannot be undone.'],
    }),
  },
  TrailRequest: {
    shape: trailRequestShape,
    render: ({ issuedAt, owner }: { issuedAt: number; owner: string }) => ({
      zh: [`权属人 ${owner}`, '查看自己数据的全部足迹', `时间：${when(issuedAt).zh}（北京时间）`],
      en: [`Owner ${owner}`, 'wants to see everything that happened to its data', `Time: ${when(issuedAt).en} (Beijing time)`],
    }),
  },
  RecordStatement: {
    shape: sayableStatement,
    render: (statement: RecordStatement, kinds: readonly KindDefinition[]) => {
      const { issuedAt, owner, reason, record, verdict, version } = statement;
      const claims = claimsOf(statement, kinds);
      const all: Words = { zh: '涉及：整条记录', en: 'About: the whole record' };
      return {
        zh: [
          `权属人 ${owner}`, `对记录 ${record} 第 ${String(version)} 版声明：${verdictWords[verdict].zh}`, `理由：${statementReasons[reason].zh}`,
          ...(claims.length === 0 ? [all.zh] : ['涉及：', ...claims.map(({ zh }) => `　· ${zh}`)]), '声明将记入账本，全体成员可见。', `时间：${when(issuedAt).zh}（北京时间）`,
        ],
        en: [
          `Owner ${owner}`, `states on version ${String(version)} of the record ${record}: ${verdictWords[verdict].en}`, `Reason: ${statementReasons[reason].en}`,
          ...(claims.length === 0 ? [all.en] : ['About:', ...claims.map(({ en }) => `  · ${en}`)]), 'It goes on the ledger, where every member sees it.', `Time: ${when(issuedAt).en} (Beijing time)`,
        ],
      };
    },
  },
  KeyRotation: {
    shape: keyRotationShape,
    render: ({ expires, newKey, owner }: { expires: number; newKey: string; owner: string }) => ({
      zh: [`权属人 ${owner}`, `改用新密钥 ${newKey}`, '旧密钥签署的授权随即全部失效。', `本声明有效至 ${when(expires).zh}（北京时间）`],
      en: [`Owner ${owner}`, `changes to the key ${newKey}`, 'Every grant signed with the old key ends at once.', `This statement is valid until ${when(expires).en} (Beijing time)`],
    }),
  },
  RecoveryObjection: {
    shape: recoveryObjectionShape,
    render: ({ newKey, owner }: { newKey: string; owner: string }) => ({
      zh: [`权属人 ${owner}`, `反对将密钥恢复为 ${newKey}`, '该恢复随即终止。'],
      en: [`Owner ${owner}`, `objects to the recovery to the key ${newKey}`, 'That recovery ends at once.'],
    }),
  },
} as const satisfies StatementWords;

/** Reads one of the owner's other statements; what has no words is not signed. `kinds`: see `adoptedKinds`. @throws WALLET_UNREADABLE */
export function readableStatement<Name extends Statement>(name: Name, value: unknown, kinds: readonly KindDefinition[] = []): ReturnType<(typeof statements)[Name]['shape']['read']> {
  const statement = readable(() => statements[name].shape.read(value)) as ReturnType<(typeof statements)[Name]['shape']['read']>;
  render(name, statement, kinds);
  return statement;
}

/** One of the owner's other statements in words. `kinds`: see `adoptedKinds`. @throws WALLET_UNREADABLE */
export function renderStatement(name: Statement, value: unknown, kinds: readonly KindDefinition[] = []): Rendering {
  return render(name, readable(() => statements[name].shape.read(value)), kinds);
}

function render(name: Statement, statement: unknown, kinds: readonly KindDefinition[]): Rendering {
  return (statements[name].render as (value: unknown, kinds: readonly KindDefinition[]) => Rendering)(statement, kinds);
}
