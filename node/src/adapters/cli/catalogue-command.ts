import { Command } from './declared-commands.js';
import { beijingDay } from '@huilian/protocol';
import type { CatalogueDocument, CatalogueEnd, CatalogueKind, CatalogueVersion, CatalogueView } from '../../core/catalog/catalogue.js';
import { StateCommand, stateFolder, type CommandResult, type StateOptions } from './huilian-command.js';
import { NodeApi } from './node-api.js';

@Command({
  name: 'catalogue',
  description:
    'what votes adopted: kinds, code sets, rule sets, CAs; what is in force, what comes, what ends soon / 目录：数据种类、代码集、规则集、CA 及其生效和停用时间。Example: huilian catalogue --state ./state',
})
export class CatalogueCommand extends StateCommand<StateOptions> {
  protected async act(_args: readonly string[], options: StateOptions): Promise<CommandResult> {
    const view = (await NodeApi.open(stateFolder(options)).get('/v1/catalogue')) as CatalogueView;
    return { json: view, text: describe(view) };
  }
}

function describe({ cas, codeSets, endsSoon, kinds, ruleSets }: CatalogueView): string {
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['kinds 数据种类', kinds.flatMap(kindLines)],
    ['code sets 代码集', codeSets.flatMap(documentLines)],
    ['rule sets 规则集', ruleSets.flatMap(documentLines)],
    ['CAs 证书机构', cas.map(({ fingerprint, name, state, ...dates }) => `  ${fingerprint.slice(0, 16)}…  ${name.zh} ${name.en}  ${stateWords[state]}${datesOf(dates)}`)],
    ['ends soon 即将停用', endsSoon.map(endLine)],
  ];
  return sections.filter(([, lines]) => lines.length > 0).map(([title, lines]) => [title, ...lines].join('\n')).join('\n');
}

function kindLines({ inForce, kind, migrations, title, versions }: CatalogueKind): readonly string[] {
  const head = `  ${kind}  ${title.zh} ${title.en}  ${inForce === undefined ? 'no version in force 无现行版本' : `version 版本 ${String(inForce)}`}`;
  return [head, ...moreThanOne(versions), ...migrations.map(({ from, to }) => `    migration 转换 ${String(from)} → ${String(to)}`)];
}

function documentLines({ codes, inForce, name, versions }: CatalogueDocument): readonly string[] {
  const count = codes === undefined ? '' : `  ${String(codes)} codes 项`;
  return [`  ${name}  ${inForce === undefined ? 'no version in force 无现行版本' : `version 版本 ${String(inForce)}`}${count}`, ...moreThanOne(versions)];
}

/** One version without dates is said already. */
function moreThanOne(versions: readonly CatalogueVersion[]): readonly string[] {
  if (versions.length === 1 && versions.every(({ effective, retires }) => effective === undefined && retires === undefined)) return [];
  return versions.map(({ state, version, ...dates }) => `    ${String(version)}  ${stateWords[state]}${datesOf(dates)}`);
}

function endLine({ followedBy, id, of, retires, version }: CatalogueEnd): string {
  const then = followedBy === undefined ? 'nothing follows 无后续' : `then version 其后为版本 ${String(followedBy)}`;
  return `  ${of} ${id}${version === undefined ? '' : `/${String(version)}`}  ${beijingDay(retires)}  ${then}`;
}

const stateWords = { coming: 'coming 未生效', 'in-force': 'in force 现行', retired: 'ended 已停用' } as const;

function datesOf({ effective, retires }: { readonly effective?: number; readonly retires?: number }): string {
  return `${effective === undefined ? '' : `  from 自 ${beijingDay(effective)}`}${retires === undefined ? '' : `  until 至 ${beijingDay(retires)}`}`;
}
