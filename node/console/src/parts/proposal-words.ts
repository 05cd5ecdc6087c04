import type { Proposal } from '@huilian/sdk';
import type { Title } from '../words/texts.js';
import { useWords } from '../words/use-words.js';
import { useMemberNames } from './member-name.js';

type Value = string | Title;
type Content = Readonly<Record<string, unknown>>;

/** A proposal in a few words. */
export function useProposalTitle(): (proposal: Proposal) => string {
  const { name, pick, t } = useWords();
  const nameOf = useMemberNames();
  return ({ action, content }) => {
    const about = aboutOf(action, content) ?? action;
    const text = typeof about === 'string' ? nameOf(about) : pick(about);
    const known = name('action', action);
    return known === action ? t('action.other', { action, name: text }) : known.replace('{name}', text);
  };
}

/** What a proposal is about: a member, a kind, a name. */
function aboutOf(action: string, content: Content): Value | undefined {
  if (action === 'admit') return titleOf(objectOf(content['member'])['name']) ?? textOf(objectOf(content['member'])['id']);
  if (action === 'suspend') return textOf(content['member']);
  if (action === 'publish-schema') return schemaTitle(objectOf(content['document']));
  if (action === 'retire') return versioned(textOf(content['id']), content['version']);
  if (action === 'migration') return migrationTitle(objectOf(content['document']));
  return titleOf(content['name']) ?? versioned(textOf(content['name']), content['version']);
}

function schemaTitle(document: Content): Value | undefined {
  const id = /^urn:huilian:schema:([a-z0-9-]+):(\d+)$/.exec(textOf(document['$id']) ?? '');
  const [en, zh] = [textOf(document['title']), textOf(document['x-title-zh'])];
  const version = id?.[2] ?? '';
  return en === undefined || zh === undefined ? id?.slice(1).join(' ') : { en: `${en} ${version}`, zh: `${zh} ${version}` };
}

function migrationTitle({ from, kind, to }: Content): string {
  return `${String(kind)} ${String(from)} → ${String(to)}`;
}

function versioned(name: string | undefined, version: unknown): string | undefined {
  return name === undefined || typeof version !== 'number' ? name : `${name} ${String(version)}`;
}

/** The particulars worth reading; keys and certificates are not. */
export function contentOf({ action, content }: Proposal): readonly (readonly [label: Title, value: Value])[] {
  const facts: readonly (readonly [Title, Value | undefined])[] = action === 'admit' ? memberFacts(objectOf(content['member'])) : documentFacts(content);
  return facts.filter((fact): fact is readonly [Title, Value] => fact[1] !== undefined);
}

function memberFacts(member: Content): readonly (readonly [Title, Value | undefined])[] {
  return [
    [{ en: 'Member id', zh: '成员编号' }, textOf(member['id'])],
    [{ en: 'Host', zh: '接入中心' }, textOf(member['host'])],
    [{ en: 'Organisation', zh: '组织' }, textOf(member['organisation'])],
    [{ en: 'Region', zh: '地区' }, textOf(member['region'])],
    [{ en: 'Contact', zh: '联系方式' }, textOf(member['contact'])],
  ];
}

function documentFacts(content: Content): readonly (readonly [Title, Value | undefined])[] {
  const document = objectOf(content['document']);
  return [
    [{ en: 'Name', zh: '名称' }, titleOf(content['name']) ?? textOf(content['name']) ?? textOf(document['$id'])],
    [{ en: 'Version', zh: '版本' }, numberText(content['version'] ?? document['x-version'])],
    [{ en: 'Effective', zh: '生效日期' }, dateText(content['effective'] ?? document['effective'])],
    [{ en: 'Retires', zh: '停用日期' }, dateText(content['retires'] ?? document['retires'])],
    [{ en: 'Members', zh: '成员' }, textOf(content['member'])],
  ];
}

function objectOf(value: unknown): Content {
  return typeof value === 'object' && value !== null ? (value as Content) : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberText(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : undefined;
}

function dateText(value: unknown): string | undefined {
  return typeof value === 'number' ? new Date(value * 1000).toISOString().slice(0, 10) : textOf(value);
}

function titleOf(value: unknown): Title | undefined {
  const { en, zh } = objectOf(value);
  return typeof en === 'string' && typeof zh === 'string' ? { en, zh } : undefined;
}
