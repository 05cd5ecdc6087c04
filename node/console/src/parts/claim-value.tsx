import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { queries, useNode } from '../queries.js';
import { useWords } from '../words/use-words.js';
import { Facts } from './facts.js';

type Schema = Readonly<Record<string, unknown>>;

/** What a claim holds, its fields by the titles that the kind's schema gives them; by their own names while it is not known. */
export function ClaimValue({ claim, kind, value }: { readonly kind: string; readonly claim: string; readonly value: unknown }): ReactNode {
  const { data } = useQuery(queries.kindDocument(useNode(), kind));
  return <Value schema={inside(data, claim)} value={value} />;
}

function Value({ schema, value }: { readonly schema: Schema | undefined; readonly value: unknown }): ReactNode {
  const { pick } = useWords();
  if (Array.isArray(value)) return value.every((one) => typeof one !== 'object') ? value.map(String).join(', ') : value.map((one: unknown, index) => <Value key={index} schema={objectOf(schema?.['items'])} value={one} />);
  if (typeof value !== 'object' || value === null) return String(value);
  return <Facts facts={Object.entries(value).map(([field, one]) => [pick(titleOf(inside(schema, field), field)), <Value key={field} schema={inside(schema, field)} value={one} />])} />;
}

function inside(schema: Schema | undefined, name: string): Schema | undefined {
  return objectOf(objectOf(schema?.['properties'])?.[name]);
}

function titleOf(schema: Schema | undefined, name: string): { readonly en: string; readonly zh: string } {
  const [en, zh] = [schema?.['title'], schema?.['x-title-zh']];
  return { en: typeof en === 'string' ? en : name, zh: typeof zh === 'string' ? zh : name };
}

function objectOf(value: unknown): Schema | undefined {
  return typeof value === 'object' && value !== null ? (value as Schema) : undefined;
}
